import { stringify as stringifyToml } from "smol-toml";
import { parseDocument, type Document } from "yaml";
import { parserMessage, shapeProblems } from "#common/yaml-shape.ts";
import { plainValue, settleScalars, type PlainValue } from "./yaml-nodes.ts";

export type ExportFormat = "yaml" | "toml" | "json";

export type Exported =
  | { readonly kind: "exported"; readonly text: string; readonly notices: readonly string[] }
  | { readonly kind: "impossible"; readonly message: string };

/** Writes a draft in another format that says the same to Vector. YAML is the text itself. Pure. */
export function exportConfig(yaml: string, format: ExportFormat): Exported {
  if (format === "yaml") return { kind: "exported", text: yaml, notices: [] };
  const document: Document = parseDocument(yaml, {
    intAsBigInt: true,
    merge: true,
    uniqueKeys: false,
  });
  const [error] = document.errors;
  if (error !== undefined) {
    return { kind: "impossible", message: `the text is no YAML: ${parserMessage(error)}` };
  }
  const [wrong] = shapeProblems(document);
  if (wrong !== undefined) return { kind: "impossible", message: wrong.message };
  settleScalars(document);
  let value: PlainValue;
  try {
    value = plainValue(document) ?? new Map();
  } catch (thrown) {
    if (!(thrown instanceof ReferenceError)) throw thrown;
    return { kind: "impossible", message: `the text cannot be unfolded: ${thrown.message}` };
  }
  const notices = /(?:^|\s)#/.test(yaml) ? ["comments are left out"] : [];
  return format === "json" ? toJson(value, notices) : toToml(value, notices, markerFor(yaml));
}

function toJson(value: PlainValue, notices: readonly string[]): Exported {
  const unwritable = findNumber(value, (number) => !Number.isFinite(number));
  if (unwritable !== undefined) {
    return { kind: "impossible", message: `JSON has no number as that of ${unwritable}` };
  }
  return { kind: "exported", text: `${json(value, "")}\n`, notices: notices };
}

function json(value: PlainValue, indent: string): string {
  const inner = `${indent}  `;
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return floatText(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const entries = isList(value)
    ? value.map((item) => `${inner}${json(item, inner)}`)
    : [...value].map(([key, child]) => `${inner}${JSON.stringify(key)}: ${json(child, inner)}`);
  const [open, close] = isList(value) ? ["[", "]"] : ["{", "}"];
  return entries.length === 0
    ? `${open}${close}`
    : `${open}\n${entries.join(",\n")}\n${indent}${close}`;
}

/** A float stays one. */
function floatText(value: number): string {
  const text = Object.is(value, -0) ? "-0" : JSON.stringify(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function isList(value: PlainValue): value is readonly PlainValue[] {
  return Array.isArray(value);
}

function findNumber(
  value: PlainValue,
  matches: (number: number) => boolean,
  path = "",
): string | undefined {
  if (typeof value === "number") return matches(value) ? path : undefined;
  if (value === null || typeof value !== "object") return undefined;
  const entries = isList(value) ? value.entries() : value.entries();
  for (const [key, child] of entries) {
    const found = findNumber(child, matches, path === "" ? String(key) : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Stands for a text of several lines until the writer is done; no text of the configuration has it. */
function markerFor(yaml: string): string {
  let marker = "@text";
  while (yaml.includes(marker)) marker += "-";
  return marker;
}

function toToml(value: PlainValue, notices: readonly string[], marker: string): Exported {
  const nulls: string[] = [];
  const longs: string[] = [];
  const table = tomlValue(value, [], nulls, (text) => `${marker}${longs.push(text) - 1}@`);
  const lists = nulls.filter((path) => /\.\d+$/.test(path));
  if (lists.length > 0) {
    return {
      kind: "impossible",
      message: `TOML cannot write the empty value of ${lists.slice(0, 3).join(", ")}: take it out of its list`,
    };
  }
  const text = stringifyToml(table, { numbersAsFloat: true });
  return {
    kind: "exported",
    // Programs are written as people write them, on lines of their own.
    text: longs.reduce(
      (written, long, index) => written.replace(`"${marker}${index}@"`, () => `'''\n${long}'''`),
      text,
    ),
    notices: [
      ...notices,
      ...(nulls.length === 0
        ? []
        : [`options without a value are left out: ${nulls.slice(0, 10).join(", ")}`]),
    ],
  };
}

// What a literal text of several lines can hold as it is.
// eslint-disable-next-line no-control-regex
const literal = /^(?!.*'$)[^\u0000-\u0008\u000b-\u001f\u007f]*$/s;

function tomlValue(
  value: PlainValue,
  path: readonly string[],
  nulls: string[],
  keep: (text: string) => string,
): unknown {
  if (typeof value === "string") {
    if (!value.includes("\n") || value.includes("''") || !literal.test(value)) return value;
    return keep(value);
  }
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) {
    return value.map((item, index) => {
      const at = [...path, String(index)];
      if (item === null) nulls.push(at.join("."));
      return tomlValue(item, at, nulls, keep);
    });
  }
  const table = Object.create(null) as Record<string, unknown>;
  for (const [key, child] of value) {
    const at = [...path, key];
    if (child === null) nulls.push(at.join("."));
    else table[key] = tomlValue(child, at, nulls, keep);
  }
  return table;
}
