import { TomlDate, TomlError, parse as parseToml } from "smol-toml";
import { Document, LineCounter, isMap, isScalar, parseDocument } from "yaml";
import { parserMessage, shapeProblems } from "#common/yaml-shape.ts";
import { pathKey, readTomlComments } from "./toml-comments.ts";
import {
  plainValue,
  settleScalars,
  toBlockStyle,
  valueNode,
  type PlainValue,
} from "./yaml-nodes.ts";

/** Something that keeps a file from being imported. */
export interface ImportProblem {
  readonly path: string;
  /** From 1; 0 when unknown. */
  readonly line: number;
  readonly message: string;
}

export type ImportFormat = "yaml" | "toml" | "json";

/** A file of a configuration. */
export interface ReadFile {
  readonly path: string;
  readonly format: ImportFormat;
  /** Its line ends are `\n`. */
  readonly text: string;
  readonly document: Document;
  /** What a person should know, such as comments that had no place. */
  readonly notices: readonly string[];
}

export type FileOutcome =
  | { readonly kind: "read"; readonly file: ReadFile }
  | { readonly kind: "failed"; readonly problems: readonly ImportProblem[] };

// A table, or a key with a value. Within one line, so that a text of many lines takes no longer than it is.
const tomlLine = /^[ \t]*(?:\[{1,2}[^\]\n]+\]{1,2}[ \t]*(?:#.*)?$|[\w."'-]+[ \t]*=)/m;

/** Vector takes an unknown ending for TOML; people mean what the text is. */
function formatOf(path: string, text: string): ImportFormat {
  if (/\.ya?ml$/i.test(path)) return "yaml";
  if (/\.json$/i.test(path)) return "json";
  if (/\.toml$/i.test(path)) return "toml";
  if (/^\s*\{/.test(text)) return "json";
  const looksLikeToml = tomlLine.test(text) && !/^\w+:/m.test(text);
  return looksLikeToml ? "toml" : "yaml";
}

/** Reads one file into a document that says to every reader what it says to Vector. Never throws on its content. */
export function readImportFile(path: string, given: string): FileOutcome {
  // Line ends and the mark of its encoding are no part of what a file says.
  const text = given.replace(/^\ufeff/, "").replaceAll("\r\n", "\n");
  const format = formatOf(path, text);
  try {
    if (format === "toml") return readToml(path, text);
    if (format === "json") {
      const wrong = jsonProblem(path, text);
      if (wrong !== undefined) return { kind: "failed", problems: [wrong] };
    }
    return readYaml(path, text, format);
  } catch (error) {
    if (error instanceof ReferenceError) {
      return failed(path, 0, `it cannot be unfolded: ${error.message.replace(/\.$/, "")}`);
    }
    if (error instanceof RangeError) return failed(path, 0, "it is nested too deeply to be read");
    throw error;
  }
}

function failed(path: string, line: number, message: string): FileOutcome {
  return { kind: "failed", problems: [{ path, line, message }] };
}

function readYaml(path: string, text: string, format: ImportFormat): FileOutcome {
  const lines = new LineCounter();
  const document: Document = parseDocument(text, {
    intAsBigInt: true,
    merge: true,
    uniqueKeys: false,
    lineCounter: lines,
  });
  const problems: ImportProblem[] = document.errors.map((error) => ({
    path,
    line: lines.linePos(error.pos[0]).line,
    message: parserMessage(error),
  }));
  for (const { message, node } of problems.length > 0 ? [] : shapeProblems(document)) {
    problems.push({ path, line: lines.linePos(node.range?.[0] ?? 0).line, message });
  }
  if (problems.length > 0) return { kind: "failed", problems: problems.slice(0, 20) };
  if (document.contents !== null && !isMap(document.contents)) {
    const empty = isScalar(document.contents) && document.contents.value === null;
    if (!empty) return failed(path, 1, "it must be a map of options");
    document.contents = document.createNode({}) as never;
  }
  // Unfolds every alias once, which finds a bomb.
  plainValue(document);
  settleScalars(document);
  if (format === "json") toBlockStyle(document);
  return { kind: "read", file: { path, format, text, document, notices: [] } };
}

function jsonProblem(path: string, text: string): ImportProblem | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const line = Number(/line (\d+)/.exec(message)?.[1] ?? 0);
    return { path, line, message: `it is no JSON: ${message}` };
  }
}

function readToml(path: string, text: string): FileOutcome {
  let table: unknown;
  try {
    table = parseToml(text, { integersAsBigInt: true, maxDepth: 100 });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [first = ""] = error.message.split("\n", 1);
    const cause = first.replace("Invalid TOML document: ", "");
    const twice = cause.includes("already defined") ? `a key is there twice: ${cause}` : cause;
    return failed(path, error.line, twice);
  }
  const notices: string[] = [];
  const value = plainToml(table, [], notices);
  const comments = readTomlComments(text);
  const left = new Set([...comments.before.keys(), ...comments.behind.keys()]);
  const document = new Document(null, { merge: true });
  document.contents = valueNode(value, (at, { key, value: node }) => {
    const name = pathKey(at);
    const before = comments.before.get(name);
    const behind = comments.behind.get(name);
    if (before !== undefined) (key ?? node).commentBefore = before.join("\n");
    // Behind a block there is no place: it goes before.
    if (behind !== undefined) {
      const holder = key ?? node;
      if (isScalar(node) && node.type !== "BLOCK_LITERAL") node.comment = behind;
      else holder.commentBefore = [...(before ?? []), behind].join("\n");
    }
    left.delete(name);
  }) as never;
  if (comments.atEnd.length > 0) document.comment = comments.atEnd.join("\n");
  if (left.size > 0) notices.push(`${left.size} of its comments had no place and are left out`);
  return { kind: "read", file: { path, format: "toml", text, document, notices } };
}

/** Tables as maps; a date, which no option of Vector takes, as the text that it was. */
function plainToml(value: unknown, path: readonly string[], notices: string[]): PlainValue {
  if (value instanceof TomlDate) {
    notices.push(`${path.join(".")} is a date, which YAML does not have: it is a text now`);
    return value.toString();
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => plainToml(item, [...path, String(index)], notices));
  }
  if (typeof value === "object" && value !== null) {
    return new Map(
      Object.entries(value).map(([key, child]) => [key, plainToml(child, [...path, key], notices)]),
    );
  }
  return value as PlainValue;
}
