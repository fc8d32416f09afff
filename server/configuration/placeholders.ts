import { isAlias, isMap, isScalar, isSeq, parseDocument, type Scalar } from "yaml";
import { kinds, type Catalogue, type Kind } from "./catalogue.ts";
import type { Span } from "./graph.ts";

/** What stands for a value in a text: `VAR[name]` of an environment, `PARAM[name]` of a template. */
export type PlaceholderWord = "VAR" | "PARAM";

const names = "[A-Za-z_][A-Za-z0-9_.-]{0,127}";
const patterns = {
  VAR: new RegExp(`VAR\\[(${names})\\]`, "g"),
  PARAM: new RegExp(`PARAM\\[(${names})\\]`, "g"),
} satisfies Record<PlaceholderWord, RegExp>;

/** The names that a text refers to by this word, each once, in their order. */
export function placeholdersIn(text: string, word: PlaceholderWord): readonly string[] {
  if (!text.includes(`${word}[`)) return [];
  return [...new Set(Array.from(text.matchAll(patterns[word]), ([, name = ""]) => name))];
}

/** A name without a value, and where it stands. */
export interface MissingPlaceholder {
  readonly name: string;
  readonly componentKey: string;
  /** Below the component, or from the top of the text. */
  readonly path: readonly (string | number)[];
  readonly span: Span;
}

/** A text with values in the places of placeholders. */
export interface FilledText {
  readonly text: string;
  /** What was used, by name. */
  readonly used: Readonly<Record<string, string>>;
  readonly missing: readonly MissingPlaceholder[];
  /** Where a place of the filled text stands in the one that was written. */
  original(at: number): number;
}

interface Edit extends Span {
  readonly text: string;
}

/**
 * Puts values in the places of placeholders, anywhere inside texts and keys of maps. A value that is all of an option
 * becomes what the option takes: a number, true or false, or a text. Where the catalogue does not know the option, it
 * is read as if it had been written there, and in quotes it is a text. Everything else in the text stays as it is.
 * Undefined when there is nothing to fill, or the text is no YAML. Pure.
 */
export function fillPlaceholders(
  text: string,
  word: PlaceholderWord,
  valueOf: (name: string) => string | undefined,
  catalogue: Catalogue,
): FilledText | undefined {
  if (!text.includes(`${word}[`)) return undefined;
  let root: unknown;
  try {
    const document = parseDocument(text, { uniqueKeys: true, merge: true });
    if (document.errors.length > 0) return undefined;
    root = document.contents;
  } catch {
    // Nested too deeply: whoever reads it next says so.
    return undefined;
  }
  const edits: Edit[] = [];
  const used: Record<string, string> = {};
  const missing: MissingPlaceholder[] = [];
  const visit = (
    node: unknown,
    path: readonly (string | number)[],
    isKey: boolean,
    isInBraces: boolean,
  ): void => {
    if (isMap(node)) {
      const braces = node.flow === true;
      for (const { key, value } of node.items) {
        const step = isScalar(key) ? String(key.value) : "";
        visit(key, [...path, step], true, braces);
        visit(value, [...path, step], false, braces);
      }
    } else if (isSeq(node)) {
      const braces = node.flow === true;
      node.items.forEach((item, index) => visit(item, [...path, index], false, braces));
    } else if (isScalar(node) && typeof node.value === "string" && node.range != null) {
      const found = placeholdersIn(node.value, word);
      if (found.length === 0 || isAlias(node)) return;
      const place = { from: node.range[0], to: node.range[1] };
      const known = new Map<string, string>();
      for (const name of found) {
        const value = valueOf(name);
        if (value === undefined) missing.push({ name, ...splitPath(path), span: place });
        else known.set(name, value);
      }
      for (const [name, value] of known) used[name] = value;
      if (known.size === 0) return;
      const written = text.slice(place.from, place.to);
      const wanted = isKey ? "text" : wantedAt(root, path, catalogue);
      const scalar = { node, written, isInBraces };
      for (const { from, to, text: filled } of fillScalar(scalar, word, known, wanted)) {
        edits.push({ from: place.from + from, to: place.from + to, text: filled });
      }
    }
  };
  visit(root, [], false, false);
  if (edits.length + missing.length === 0) return undefined;
  return { ...applyEdits(text, edits), used, missing };
}

const secret = /^SECRET\[[^[\]\s]+\]$/;

interface WrittenScalar {
  readonly node: Scalar;
  readonly written: string;
  readonly isInBraces: boolean;
}

type Wanted = "number" | "bool" | "text" | "any";

/** The edits of one scalar, from its begin. */
function fillScalar(
  { node: scalar, written, isInBraces }: WrittenScalar,
  word: PlaceholderWord,
  known: ReadonlyMap<string, string>,
  wanted: Wanted,
): readonly Edit[] {
  const pattern = patterns[word];
  const value = String(scalar.value);
  const escape = escapes[scalar.type ?? "PLAIN"];
  const [whole] = Array.from(value.matchAll(pattern), ([, name = ""]) => known.get(name));
  const isBlock = scalar.type?.startsWith("BLOCK") === true;
  const isWhole = !isBlock && value.replace(pattern, "") === "" && whole !== undefined;
  if (isWhole) {
    const reads = wanted === "any" ? scalar.type === "PLAIN" : wanted !== "text";
    // Vector reads a secret anew where it stands; a bracket would end a value between braces.
    const isSecret = wanted !== "any" && !isInBraces && secret.test(whole);
    const text = reads && (isSecret || isLiteral(whole, wanted)) ? whole : asText(whole);
    return [{ from: 0, to: written.length, text }];
  }
  if (escape === undefined) {
    const filled = value.replaceAll(pattern, (text, name: string) => known.get(name) ?? text);
    return [{ from: 0, to: written.length, text: asText(filled) }];
  }
  return Array.from(written.matchAll(pattern)).flatMap((match): readonly Edit[] => {
    const found = known.get(match[1] ?? "");
    if (found === undefined) return [];
    return [{ from: match.index, to: match.index + match[0].length, text: escape(found) }];
  });
}

const asItIs = (value: string): string => value;
/** How a value is written within a text of each style; plain texts are written anew. */
const escapes: Readonly<Record<string, ((value: string) => string) | undefined>> = {
  QUOTE_DOUBLE: (value) => JSON.stringify(value).slice(1, -1),
  QUOTE_SINGLE: (value) => value.replaceAll("'", "''"),
  // Values have one line, so that they need no indentation of their own.
  BLOCK_LITERAL: asItIs,
  BLOCK_FOLDED: asItIs,
};

/** Numbers and truth values as JSON has them, which YAML and Vector read alike. */
function isLiteral(text: string, wanted: Wanted): boolean {
  const number = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/.test(text);
  const bool = text === "true" || text === "false";
  return wanted === "number" ? number : wanted === "bool" ? bool : number || bool;
}

/** A text in YAML: as it is where it is read as that text everywhere, in double quotes otherwise. */
function asText(text: string): string {
  // In a list or map on one line these would end it.
  if (text.trim() !== text || /[,[\]{}\p{Cc}]/u.test(text)) return JSON.stringify(text);
  const document = parseDocument(`k: ${text}`);
  const read: unknown = isMap(document.contents) ? document.contents.get("k") : undefined;
  const isSame = document.errors.length === 0 && read === text && document.comment === null;
  return isSame && !/^(?:yes|no|on|off|y|n)$/i.test(text) ? text : JSON.stringify(text);
}

/** What the option at a place takes. */
function wantedAt(root: unknown, path: readonly (string | number)[], catalogue: Catalogue): Wanted {
  const [section, key, ...steps] = path;
  const kind = kinds.find((candidate) => `${candidate}s` === section);
  if (kind === undefined || typeof key !== "string") return "any";
  const type = typeOfComponent(root, kind, key);
  const facts = type === undefined ? undefined : catalogue.component(kind, type);
  if (facts === undefined) return "any";
  const fact = catalogue.spellings(facts).find(({ path: known }) => isAt(known, steps))?.option;
  if (fact === undefined || typeof fact.type !== "string") return "any";
  const isItem = typeof steps.at(-1) === "number";
  const own = isItem ? (/^array<(.*)>$/.exec(fact.type)?.[1] ?? "") : fact.type;
  if (own === "int" || own === "uint" || own === "float") return "number";
  if (own === "bool") return "bool";
  return own === "string" || own === "ascii_char" ? "text" : "any";
}

/** Whether an option of the catalogue is the one at these steps, or the list whose item is. */
function isAt(path: string, steps: readonly (string | number)[]): boolean {
  const own = typeof steps.at(-1) === "number" ? steps.slice(0, -1) : steps;
  const wanted = path.replaceAll("[]", ".[]").split(".");
  return (
    wanted.length === own.length &&
    wanted.every((part, index) => {
      const step = own[index];
      return typeof step === "number" ? part === "[]" : part === "*" || part === step;
    })
  );
}

function typeOfComponent(root: unknown, kind: Kind, key: string): string | undefined {
  const section = isMap(root) ? root.get(`${kind}s`) : undefined;
  const body = isMap(section) ? section.get(key) : undefined;
  const type = isMap(body) ? body.get("type") : undefined;
  return typeof type === "string" ? type : undefined;
}

function splitPath(
  path: readonly (string | number)[],
): Pick<MissingPlaceholder, "componentKey" | "path"> {
  const [section, key, ...steps] = path;
  return kinds.some((kind) => `${kind}s` === section) && key !== undefined
    ? { componentKey: String(key), path: steps }
    : { componentKey: "", path };
}

function applyEdits(text: string, edits: readonly Edit[]): Pick<FilledText, "text" | "original"> {
  const ordered = edits.toSorted((a, b) => a.from - b.from);
  let filled = "";
  let end = 0;
  /** Where the text of each edit begins and ends in the filled text. */
  const places = ordered.map((edit) => {
    filled += text.slice(end, edit.from);
    const from = filled.length;
    filled += edit.text;
    end = edit.to;
    return { edit, from, to: filled.length };
  });
  return {
    text: filled + text.slice(end),
    original(at) {
      const last = places.findLast(({ from }) => from <= at);
      if (last === undefined) return at;
      const { edit, to } = last;
      return at >= to ? edit.to + (at - to) : edit.from;
    },
  };
}
