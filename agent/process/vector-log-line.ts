import type { OutputStream } from "./child.ts";

export type Level = "trace" | "debug" | "info" | "warn" | "error";

/** A line that a Vector process wrote, taken apart. */
export interface VectorLine {
  /** False for what is not Vector's log: the console sink's output, a panic. */
  readonly isLog: boolean;
  /** When Vector wrote it; undefined when the line does not say. */
  readonly time: Date | undefined;
  readonly level: Level;
  readonly componentId: string;
  readonly message: string;
  /** The other fields of the event, such as `error` and `reason`. */
  readonly fields: ReadonlyMap<string, string>;
}

const levels: ReadonlyMap<string, Level> = new Map([
  ["TRACE", "trace"],
  ["DEBUG", "debug"],
  ["INFO", "info"],
  ["WARN", "warn"],
  ["ERROR", "error"],
]);

const known = new Set([
  "timestamp",
  "level",
  "message",
  "target",
  "span",
  "spans",
  "internal_log_rate_limit",
  "internal_log_rate_secs",
]);

// Time, level, spans with their fields, target, message: Vector's text format.
const textLine =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)\s+(TRACE|DEBUG|INFO|WARN|ERROR)\s+((?:[\w-]+(?:\{[^}]*\})?:)*)\s*([\w:]+): (.*)$/s;

// oxlint-disable-next-line no-control-regex -- colour codes begin with ESC
const colour = /\u001b\[[0-9;]*m/g;

/**
 * Takes one line apart. JSON logs share stdout with the console sink, so that only an object with
 * a timestamp, a level and a target is taken for a log. The level comes from this structure and
 * never from words in the text (S5).
 */
export function parseVectorLine(line: string, stream: OutputStream): VectorLine {
  return jsonLog(line) ?? textLog(line) ?? rawLine(line, stream);
}

function rawLine(line: string, stream: OutputStream): VectorLine {
  // Text that Vector writes to stderr past its logger is a panic or a usage error.
  const level = stream === "stderr" && line.trim() !== "" ? "warn" : "info";
  return {
    isLog: false,
    time: undefined,
    level,
    componentId: "",
    message: line,
    fields: new Map(),
  };
}

function jsonLog(line: string): VectorLine | undefined {
  if (!line.startsWith("{")) return undefined;
  const record = parseObject(line);
  if (record === undefined) return undefined;
  const { timestamp, target, level, message, span } = record;
  if (typeof timestamp !== "string" || typeof target !== "string" || level === undefined) {
    return undefined;
  }
  const time = new Date(timestamp);
  if (Number.isNaN(time.getTime())) return undefined;
  const fields = new Map(
    Object.entries(record)
      .filter(([key]) => !known.has(key))
      .map(([key, value]) => [key, plain(value)]),
  );
  // Failed health checks have their text in `msg`.
  const text = message ?? fields.get("msg");
  if (message === undefined) fields.delete("msg");
  return {
    isLog: true,
    time,
    // The first line of a run repeats the key `level`; the last one wins and is no level name.
    level: levels.get(typeof level === "string" ? level : "") ?? "info",
    componentId: componentOf(record, span),
    message: text === undefined ? "" : plain(text),
    fields,
  };
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>) // An object from JSON has string keys.
      : undefined;
  } catch {
    return undefined; // Not JSON: the console sink wrote it.
  }
}

function componentOf(record: Record<string, unknown>, span: unknown): string {
  const spans = [span, ...(Array.isArray(record["spans"]) ? record["spans"].toReversed() : [])];
  for (const candidate of [...spans, record]) {
    if (typeof candidate !== "object" || candidate === null) continue;
    const id: unknown = Reflect.get(candidate, "component_id");
    if (typeof id === "string") return id;
  }
  return "";
}

function textLog(line: string): VectorLine | undefined {
  const match = textLine.exec(line.replaceAll(colour, ""));
  if (match === null) return undefined;
  const [, timestamp = "", level = "", spans = "", , message = ""] = match;
  const componentId = /component_id="?([^\s"}]+)"?/.exec(spans)?.[1] ?? "";
  return {
    isLog: true,
    time: new Date(timestamp),
    level: levels.get(level) ?? "info",
    componentId,
    message,
    fields: new Map(),
  };
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The message with its fields as `key=value`, on one line as far as the fields allow. */
export function lineText(line: VectorLine): string {
  const fields = [...line.fields].map(([key, value]) =>
    /^[^\s"=]+$/.test(value) ? `${key}=${value}` : `${key}=${JSON.stringify(value)}`,
  );
  return [line.message, ...fields].filter((part) => part !== "").join(" ");
}
