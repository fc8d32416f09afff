import { linearPattern } from "#common/linear-pattern.ts";
import { redactedMark, toJson } from "./event-json.ts";
import { EventTime, isList, Redacted, typeOf, type EventValue } from "./event-value.ts";

/** What must not leave the host, as people write it. */
export interface RedactionRules {
  readonly fieldGlobs: readonly string[];
  readonly valuePatterns: readonly string[];
}

/** Rules made ready to use. */
export interface Redactor {
  /** The event without what the rules take away, and how many values that concerns. */
  redact(event: EventValue): { readonly event: EventValue; readonly redacted: number };
}

export type RedactorResult =
  | { readonly kind: "ready"; readonly redactor: Redactor }
  /** A rule that cannot be used: then nothing may leave. */
  | { readonly kind: "unusable"; readonly problem: string };

export const noRules: RedactionRules = { fieldGlobs: [], valuePatterns: [] };

const maxRules = 100;
const maxRuleLength = 500;
const maxDepth = 64;
/** Longer texts are cut before they are looked through; such an event is too large to be shown whole. */
const maxTextLength = 2 * 1024 * 1024;

/** Fields whose names say that their values are secret, at any depth. */
const secretFields: readonly string[] = [
  "*password*",
  "*passwd*",
  "*passphrase*",
  "*secret*",
  "*api_key*",
  "*api-key*",
  "*apikey*",
  "*access_key*",
  "*accesskey*",
  "*private_key*",
  "*privatekey*",
  "*credential*",
  "*token",
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
];

const named =
  "password|passwd|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key|client[_-]?secret|auth[_-]?token";

/**
 * Well-known shapes of secrets. Every repetition is bounded or starts at a rare literal: a text that
 * was written to be slow costs little. A capture of the name `keep` stays.
 */
const secretShapes: readonly RegExp[] = [
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,16384}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?/g,
  /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/g,
  /\bgh[pousr]_[A-Za-z0-9]{20,255}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,255}/g,
  /\bglpat-[\w-]{20,255}/g,
  /\bxox[abeoprs]-[\w-]{10,255}/g,
  /\bAIza[\w-]{35}/g,
  /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}/g,
  /\bsk-[\w-]{20,255}/g,
  /\bnpm_[A-Za-z0-9]{36}/g,
  /\bvf[ena]_[\w-]{16,255}/g,
  /\beyJ[\w-]{5,4096}\.[\w-]{5,8192}\.[\w-]{0,2048}/g,
  /(?<keep>\b(?:bearer|basic)\s{1,4})[\w.~+/=-]{8,4096}/gi,
  /(?<keep>:\/\/[^\s:/@]{0,256}:)[^\s/@]{1,256}(?=@)/g,
  new RegExp(
    `(?<keep>(?:${named})\\\\?["']?\\s{0,4}[:=]\\s{0,4}\\\\?["']?)[^\\s"'\\\\&,;]{3,4096}`,
    "gi",
  ),
];

/** Joins the rules of the server and the host with the built-in ones. */
export function createRedactor(...rules: readonly RedactionRules[]): RedactorResult {
  const globs = rules.flatMap(({ fieldGlobs }) => fieldGlobs);
  const patterns = rules.flatMap(({ valuePatterns }) => valuePatterns);
  if (globs.length + patterns.length > maxRules) {
    return { kind: "unusable", problem: `there are more than ${maxRules} redaction rules` };
  }
  const long = [...globs, ...patterns].find(({ length }) => length > maxRuleLength);
  if (long !== undefined) {
    const problem = `a redaction rule is longer than ${maxRuleLength} characters`;
    return { kind: "unusable", problem };
  }
  const shapes = [...secretShapes];
  for (const pattern of patterns) {
    const compiled = linearPattern(pattern);
    if (typeof compiled === "string")
      return { kind: "unusable", problem: `redaction: ${compiled}` };
    shapes.push(compiled);
  }
  const fields = [...secretFields, ...globs].filter((glob) => glob !== "").map(fieldPattern);
  return { kind: "ready", redactor: { redact: (event) => redactWith(event, fields, shapes) } };
}

/** What is wrong with the rules, or undefined. */
export function problemOfRules(rules: RedactionRules): string | undefined {
  const result = createRedactor(rules);
  return result.kind === "unusable" ? result.problem : undefined;
}

/** A glob over a dotted path. `*` stays within a name, `**` crosses dots; without a dot, at any depth. */
function fieldPattern(glob: string): RegExp {
  const body = glob.replaceAll(/\*+|[\\^$.|?+(){}[\]]/g, (part) => {
    if (part === "*") return "[^.]*";
    return part.startsWith("*") ? ".*" : `\\${part}`;
  });
  const anywhere = glob.includes(".") ? "^" : "(?:^|\\.)";
  // `items.0.id` is spelt `items[].id`, and a rule for a list goes for what is in it.
  return new RegExp(`${anywhere}${body}(?:\\[\\])*$`, "is");
}

function redactWith(
  root: EventValue,
  fields: readonly RegExp[],
  shapes: readonly RegExp[],
): { readonly event: EventValue; readonly redacted: number } {
  let redacted = 0;
  const take = (value: EventValue): Redacted => {
    redacted += 1;
    return new Redacted(typeOf(value));
  };
  const scan = (text: string): string => {
    const whole = text.length > maxTextLength ? withoutEnd(text) : text;
    const clean = replaceShapes(whole, shapes);
    if (clean !== whole) redacted += 1;
    return clean;
  };
  const walk = (value: EventValue, path: string, depth: number): EventValue => {
    if (path !== "" && value !== null && fields.some((field) => field.test(path))) {
      return take(value);
    }
    if (typeof value === "string") return scan(value);
    if (typeof value === "bigint" || typeof value === "number") {
      const text = toJson(value);
      return replaceShapes(text, shapes) === text ? value : take(value);
    }
    if (value === null || typeof value === "boolean") return value;
    if (value instanceof EventTime || value instanceof Redacted) return value;
    // What is too deep to be looked through does not leave.
    if (depth >= maxDepth) return take(value);
    if (isList(value)) return value.map((item) => walk(item, `${path}[]`, depth + 1));
    const clean = new Map<string, EventValue>();
    for (const [key, item] of value) {
      let name = scan(key);
      while (clean.has(name)) name += "'";
      clean.set(name, walk(item, path === "" ? key : `${path}.${key}`, depth + 1));
    }
    return clean;
  };
  const event = walk(root, "", 0);
  return { event, redacted };
}

/** A text cut at a length, without its last word: half a secret would not look like one. */
function withoutEnd(text: string): string {
  const start = text.slice(0, maxTextLength);
  return `${start.slice(0, -8192)}${start.slice(-8192).replace(/\S*$/, "")}… [cut: ${text.length} characters]`;
}

function replaceShapes(text: string, shapes: readonly RegExp[]): string {
  let clean = text;
  for (const shape of shapes) {
    clean = clean.replace(shape, (...parts: unknown[]) => {
      const groups = parts.at(-1);
      const keep = typeof groups === "object" ? (groups as { keep?: string }).keep : undefined;
      return `${keep ?? ""}${redactedMark}`;
    });
  }
  return clean;
}
