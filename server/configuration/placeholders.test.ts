import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { loadVrl } from "#vrl/vrl.ts";
import { loadCatalogue } from "./catalogue.ts";
import { compareConfigs } from "./changes.ts";
import { compileFilled, type FilledPipeline } from "./compile-filled.ts";
import { fillPlaceholders } from "./placeholders.ts";

const catalogue = loadCatalogue();
const fill = (text: string, values: Readonly<Record<string, string>>) =>
  fillPlaceholders(text, "VAR", (name) => values[name], catalogue);

const compile = (text: string, variables: Readonly<Record<string, string>>): FilledPipeline =>
  compileFilled(
    text,
    {
      secretNames: new Set(["pw"]),
      certificateNames: new Set(["ca"]),
      variables: new Map(Object.entries(variables)),
    },
    loadVrl,
  );

describe("fillPlaceholders", () => {
  test("writes what an option takes, and reads what the catalogue does not know as it stands", () => {
    const text = `sources:
  in: {type: demo_logs, format: json, interval: "VAR[n]"}
sinks:
  out:
    type: http
    inputs: [in]
    uri: VAR[host]
    batch: {max_events: "VAR[n]"}
    request:
      headers: {X-Number: 'VAR[n]', "X-VAR[key]": "a-VAR[host]-b"}
    healthcheck: {enabled: "VAR[flag]"}
    auth: {strategy: basic, user: VAR_x, password: "VAR[n]"}
    unknown:
      plain: VAR[n]
      quoted: "VAR[n]"
      bool: VAR[flag]
      text: VAR[word]
`;
    const filled = fill(text, {
      n: "5",
      host: "https://a.example:8080/x",
      flag: "true",
      key: "Own",
      word: "yes",
    });
    expect(parse(filled?.text ?? "")).toEqual({
      sources: { in: { type: "demo_logs", format: "json", interval: 5 } },
      sinks: {
        out: {
          type: "http",
          inputs: ["in"],
          uri: "https://a.example:8080/x",
          batch: { max_events: 5 },
          request: { headers: { "X-Number": "5", "X-Own": "a-https://a.example:8080/x-b" } },
          healthcheck: { enabled: true },
          auth: { strategy: "basic", user: "VAR_x", password: "5" },
          unknown: { plain: 5, quoted: "5", bool: true, text: "yes" },
        },
      },
    });
    expect(filled?.used).toMatchObject({ n: "5", key: "Own" });
  });

  test("puts in what an option takes under each of its names", () => {
    const text = `sources:
  in:
    type: file
    ignore_older: "VAR[n]"
    fingerprinting: {strategy: checksum, lines: "VAR[n]"}
`;
    expect(parse(fill(text, { n: "5" })?.text ?? "")).toEqual({
      sources: {
        in: { type: "file", ignore_older: 5, fingerprinting: { strategy: "checksum", lines: 5 } },
      },
    });
  });

  test("leaves a secret without quotes where no text is taken", () => {
    const text = `sinks:
  out:
    type: http
    uri: VAR[s]
    batch:
      max_events: VAR[s]
    request: {timeout_secs: "VAR[s]"}
`;
    expect(fill(text, { s: "SECRET[n]" })?.text).toBe(
      text
        .replace("max_events: VAR[s]", "max_events: SECRET[n]")
        .replaceAll(/"?VAR\[s\]"?/g, '"SECRET[n]"'),
    );
  });

  test("changes nothing but the places, and tells where the rest came from", () => {
    const text = `# VAR[a] in a comment stays
sources: {}
transforms:
  t:
    type: remap   # odd   spaces
    source: |
      .env = "VAR[a]" + 'VAR[b]'
      .rest = .message
`;
    const filled = fill(text, { a: "production", b: "x" });
    const result = filled?.text ?? "";
    expect(result).toBe(text.replace('"VAR[a]"', '"production"').replace("'VAR[b]'", "'x'"));
    for (const part of ["spaces", ".rest", "source:", ".env", "message"]) {
      expect(filled?.original(result.indexOf(part))).toBe(text.indexOf(part));
    }
    expect(fill("a: VAR[x", {})).toBeUndefined();
    expect(fill("a: [VAR[x]", {})).toBeUndefined();
    expect(fill("a: SECRET[x]", {})).toBeUndefined();
  });

  test("gives back every value of one line, whatever stands around it (property)", () => {
    const value = fc
      .string({ unit: "grapheme", maxLength: 30 })
      .filter((text) => !/[\p{Cc}\u2028\u2029]/u.test(text));
    const places = [
      (name: string) => [`a: VAR[${name}]`, ""],
      (name: string) => [`a: "VAR[${name}]"`, ""],
      (name: string) => [`a: 'x VAR[${name}]'`, "x "],
      (name: string) => [`a: "x VAR[${name}]"`, "x "],
      (name: string) => [`a: x VAR[${name}]`, "x "],
      (name: string) => [`a: |-\n  x VAR[${name}]`, "x "],
      (name: string) => [`a: [1, {b: "x VAR[${name}]"}]`, "x "],
    ] as const;
    fc.assert(
      fc.property(value, fc.constantFrom(...places), (own, place) => {
        const [text = "", before = ""] = place("v");
        const filled = fill(text, { v: own });
        const read: unknown = parse(filled?.text ?? "");
        const { a } = read as { a: unknown };
        const found = Array.isArray(a) ? (a[1] as { b: unknown }).b : a;
        expect(String(found)).toBe(`${before}${own}`);
      }),
      { numRuns: 300 },
    );
  });
});

const pipeline = `sources:
  in: {type: demo_logs, format: json}
transforms:
  t:
    type: remap
    inputs: [in]
    source: .site = "VAR[site]"
sinks:
  out:
    type: http
    inputs: [t]
    uri: https://VAR[host]/VAR[path]
    encoding: {codec: json}
    batch:
      max_events: VAR[size]
    auth: {strategy: basic, user: me, password: "SECRET[pw]"}
`;
const values = { site: "fra", host: "logs.example.com", path: "in", size: "100" };

describe("variables in a pipeline", () => {
  test("are in what hosts get, with their types, and not in what people wrote", () => {
    const compiled = compile(pipeline, values);
    expect(compiled.problems).toEqual([]);
    expect(compiled.configYaml).toContain("uri: https://logs.example.com/in\n");
    expect(compiled.configYaml).toContain("max_events: 100\n");
    expect(compiled.configYaml).toContain('.site = "fra"');
    expect(compiled.configYaml).toContain("SECRET[pw]");
    expect(compiled.variables).toEqual(values);
    expect(compiled.graph?.components.at(-1)?.config["uri"]).toBe("https://VAR[host]/VAR[path]");
  });

  test("that are missing are named, each at its place, and nothing else is said of them", () => {
    const { problems, configYaml } = compile(pipeline, { site: "fra", host: "h" });
    expect(configYaml).toBeUndefined();
    expect(
      problems.map(({ message, field, span }) => [
        message,
        field,
        pipeline.slice(span?.from, span?.to),
      ]),
    ).toEqual([
      ["there is no variable named path in this environment", "uri", "https://VAR[host]/VAR[path]"],
      ["there is no variable named size in this environment", "batch.max_events", "VAR[size]"],
    ]);
  });

  test("that are missing in a program are no error of the program", () => {
    const text = pipeline.replace('.site = "VAR[site]"', ".rate = VAR[rate] * 2");
    const { problems } = compile(text, values);
    expect(problems.map(({ message }) => message)).toEqual([
      "there is no variable named rate in this environment",
    ]);
    expect(compile(text, { ...values, rate: "5" }).problems).toEqual([]);
  });

  test("with values that do not fit are errors where they stand", () => {
    const { problems } = compile(pipeline, { ...values, size: "many", site: 'a" + "b' });
    expect(problems).toMatchObject([
      { message: "max_events must be a whole number, not below 0", field: "batch.max_events" },
    ]);
    expect(pipeline.slice(problems[0]?.span?.from, problems[0]?.span?.to)).toBe("VAR[size]");
    const broken = compile(pipeline, { ...values, site: '"' });
    expect(broken.problems[0]).toMatchObject({ componentKey: "t", field: "source" });
  });

  test("are no place to keep a credential, which cannot be moved from here", () => {
    const text = pipeline.replace('"SECRET[pw]"', '"VAR[pw]"');
    const { problems } = compile(text, { ...values, pw: "hunter2-secret" });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toMatch(/keep it as a secret/);
    expect(problems[0]?.moveToSecret).toBeUndefined();
    expect(JSON.stringify(problems)).not.toContain("hunter2");
  });

  test("change what a deploy changes", () => {
    const before = compile(pipeline, values).filledGraph;
    const next = compile(pipeline, { ...values, size: "200" }).filledGraph;
    expect(next && compareConfigs(before, next, loadCatalogue()).components).toMatchObject([
      { key: "out", kind: "changed" },
    ]);
  });
});
