import { EventTime, isList, Redacted, type EventMap, type EventValue } from "./event-value.ts";

/** What stands where a value was taken away. */
export const redactedMark = "[redacted]";

const maxDepth = 64;

/** A float keeps its point, so that a reader can tell 1.0 from 1. JSON has no word for the others. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) return JSON.stringify(String(value));
  const text = Object.is(value, -0) ? "-0" : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** Without lone surrogates and NUL, which not every reader of JSON can hold. */
function textOf(text: string): string {
  return JSON.stringify(text.toWellFormed().replaceAll("\0", "\uFFFD"));
}

/** An event as JSON on one line. */
export function toJson(value: EventValue, depth = 0): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return textOf(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return floatText(value);
  if (value instanceof EventTime) return textOf(value.text);
  if (value instanceof Redacted) return textOf(redactedMark);
  if (depth >= maxDepth) return textOf("[cut: nested too deep]");
  if (isList(value)) return `[${value.map((item) => toJson(item, depth + 1)).join(",")}]`;
  const members = [...value].map(([key, item]) => `${textOf(key)}:${toJson(item, depth + 1)}`);
  return `{${members.join(",")}}`;
}

interface CutLimits {
  readonly text: number;
  readonly items: number;
}

const cutSteps: readonly CutLimits[] = [
  { text: 16_384, items: 1000 },
  { text: 1024, items: 100 },
  { text: 128, items: 20 },
  { text: 32, items: 5 },
];

/**
 * An event as JSON of at most `maxBytes`. One that is larger loses the ends of its long texts and lists,
 * each marked where it was cut, and stays readable JSON.
 */
export function toBoundedJson(
  event: EventValue,
  maxBytes: number,
): { readonly json: string; readonly cut: boolean } {
  const whole = toJson(event);
  if (Buffer.byteLength(whole) <= maxBytes) return { json: whole, cut: false };
  for (const limits of cutSteps) {
    const json = toJson(cutValue(event, limits, 0));
    if (Buffer.byteLength(json) <= maxBytes) return { json, cut: true };
  }
  return { json: textOf(`[cut: an event of ${Buffer.byteLength(whole)} bytes]`), cut: true };
}

function cutValue(value: EventValue, limits: CutLimits, depth: number): EventValue {
  if (typeof value === "string") {
    if (value.length <= limits.text) return value;
    return `${value.slice(0, limits.text).toWellFormed()}… [cut: ${value.length} characters]`;
  }
  if (value === null || typeof value !== "object") return value;
  if (value instanceof EventTime || value instanceof Redacted) return value;
  if (depth >= maxDepth) return value;
  if (isList(value)) {
    const kept = value.slice(0, limits.items).map((item) => cutValue(item, limits, depth + 1));
    return value.length > limits.items ? [...kept, `… [cut: ${value.length} items]`] : kept;
  }
  return cutMap(value, limits, depth);
}

function cutMap(map: EventMap, limits: CutLimits, depth: number): EventMap {
  const kept = new Map<string, EventValue>();
  for (const [key, item] of map) {
    if (kept.size === limits.items) {
      kept.set("…", `[cut: ${map.size} fields]`);
      break;
    }
    const name = key.length > limits.text ? `${key.slice(0, limits.text)}…` : key;
    kept.set(name, cutValue(item, limits, depth + 1));
  }
  return kept;
}

/**
 * Reads a line of JSON with integers apart from floats, and integers of any size exactly. Undefined
 * when it is no JSON.
 */
export function parseEventJson(line: string): EventValue | undefined {
  try {
    return fromJson(parseWithSource(line, keepNumbers));
  } catch {
    return undefined;
  }
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** The type library does not know yet that a reviver is given the text of numbers. */
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown;

/** A number as it was written; what reads JSON otherwise makes 1.0 and 1 the same. */
class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function keepNumbers(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== "number") return value;
  return new NumberText(context.source ?? String(value));
}

function fromJson(value: unknown): EventValue {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (value instanceof NumberText) {
    return /^-?\d+$/.test(value.text) ? BigInt(value.text) : Number(value.text);
  }
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value !== "object") return null;
  return new Map(Object.entries(value).map(([key, item]) => [key, fromJson(item)]));
}
