import type { CompilationDiagnostic } from "@bpinternal/verel";

/** Functions of Vector, or of its newer VRL, that the engine does not have. */
const missingHere = new Set(
  [
    "get_secret set_secret remove_secret set_semantic_meaning find_enrichment_table_records",
    "get_enrichment_table_record find_vector_metrics get_vector_metric aggregate_vector_metrics",
    "basename dirname split_path crc32 encrypt_ip decrypt_ip encode_csv haversine http_request",
    "parse_yaml pop trim validate_json_schema xxhash parse_dnstap",
  ]
    .join(" ")
    .split(" "),
);

function spanText(source: string, [start, end]: readonly [number, number]): string {
  // Spans count UTF-8 bytes.
  return Buffer.from(source).subarray(start, end).toString();
}

/**
 * The errors that a real Vector would report too. A program that calls a function which only the
 * engine lacks cannot be judged here, so none of its errors count.
 */
export function realErrors(
  source: string,
  errors: readonly CompilationDiagnostic[],
): readonly CompilationDiagnostic[] {
  const calls = errors.filter(({ code }) => code === 105);
  const unknowable = calls.some(({ labels }) =>
    labels.some(({ span }) => missingHere.has(spanText(source, span))),
  );
  return unknowable ? [] : errors;
}

const notes: Readonly<Record<string, string>> = {
  SeeErrorDocs: "see documentation about error handling at https://errors.vrl.dev/#handling",
  SeeFunctionCharacteristicsDocs:
    "see functions characteristics documentation at https://vrl.dev/expressions/#function-call-characteristics",
};

/** The multi-line report that Vector prints. */
export function formatDiagnostics(
  source: string,
  errors: readonly CompilationDiagnostic[],
): string {
  return errors.map((error) => `\n${formatDiagnostic(source, error)}`).join("");
}

function formatDiagnostic(
  source: string,
  { code, message, labels, notes: hints }: CompilationDiagnostic,
): string {
  const primary = labels.find((label) => label.primary) ?? labels[0];
  const before = spanText(source, [0, primary?.span[0] ?? 0]).split("\n");
  const line = before.length;
  const column = before.at(-1)?.length ?? 0;
  const width = Array.from(spanText(source, primary?.span ?? [0, 0])).length;
  const number = String(line);
  const margin = " ".repeat(number.length);
  const body = labels.map(
    (label) => `${margin} │ ${" ".repeat(label.primary ? column : 0)}${label.message}`,
  );
  const seen = hints.map(({ note_type, message: text }) =>
    text === "" ? notes[note_type] : `see language documentation: ${text}`,
  );
  const more = [
    ...seen.filter((note) => note !== undefined),
    `learn more about error code ${code} at https://errors.vrl.dev/${code}`,
    "see language documentation at https://vrl.dev",
    "try your code in the VRL REPL, learn more at https://vrl.dev/examples",
  ];
  return [
    `error[E${code}]: ${message}`,
    `${margin} ┌─ :${line}:${column + 1}`,
    `${margin} │`,
    `${number} │ ${source.split("\n")[line - 1] ?? ""}`,
    `${margin} │ ${" ".repeat(column)}${"^".repeat(Math.max(1, width))}`,
    ...body,
    `${margin} │`,
    ...more.map((note) => `${margin} = ${note}`),
    "",
  ].join("\n");
}
