import { writeSync } from "node:fs";

export type Level = "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR";
const severity = { TRACE: 0, DEBUG: 1, INFO: 2, WARN: 3, ERROR: 4, OFF: 5 } as const;

/** A value printed as it is; a plain string is printed in quotes in the text format. */
export interface Raw {
  readonly raw: string;
}
export const raw = (text: string): Raw => ({ raw: text });
/** A value in Rust's Debug form, which is a quoted string inside the log line. */
export const debug = (value: unknown): Raw => raw(debugText(value));

export type Fields = Readonly<Record<string, string | number | boolean | Raw>>;

/** The component a line belongs to. */
export interface Span {
  readonly id: string;
  readonly kind: "source" | "transform" | "sink";
  readonly type: string;
}

export interface LogSettings {
  readonly format: "text" | "json";
  /** As in `VECTOR_LOG`: `info,vector::topology=debug`. */
  readonly filter: string;
  /** How long a repeated line is held back; 0 switches that off. */
  readonly rateLimitMs: number;
}

export function debugText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(debugText).join(", ")}]`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** The level asked for, by target; throws on a text that Vector cannot parse. */
export function parseFilter(filter: string): (target: string) => number {
  let fallback: number = severity.ERROR;
  const targets: [string, number][] = [];
  for (const directive of filter.split(",").filter((part) => part.trim() !== "")) {
    const [name = "", level, extra] = directive.trim().split("=");
    if (extra !== undefined) throw new Error("too many '=' in filter directive, expected 0 or 1");
    const rank = (text: string): number | undefined =>
      Object.entries(severity).find(([key]) => key === text.toUpperCase())?.[1];
    if (level === undefined) {
      const parsed = rank(name);
      if (parsed === undefined) targets.push([name, severity.TRACE]);
      else fallback = parsed;
    } else {
      const parsed = rank(level);
      if (parsed === undefined) throw new Error(`invalid level ${JSON.stringify(level)}`);
      targets.push([name, parsed]);
    }
  }
  targets.sort((a, b) => b[0].length - a[0].length);
  return (target) => targets.find(([prefix]) => target.startsWith(prefix))?.[1] ?? fallback;
}

/** Writes all of it, also to a pipe that is full: like Vector, this blocks until someone reads. */
function writeAll(fd: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

const now = (): string => {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1000);
  return `${new Date(Math.floor(micros / 1000)).toISOString().slice(0, -1)}${String(micros % 1000).padStart(3, "0")}Z`;
};

/** Vector's log: text on stderr, or JSON on stdout. Repeated lines are held back as Vector does. */
export class Log {
  readonly #settings: LogSettings;
  readonly #minimum: (target: string) => number;
  readonly #seen = new Map<string, { until: number; held: number }>();

  constructor(settings: LogSettings) {
    this.#settings = settings;
    this.#minimum = parseFilter(settings.filter);
  }

  readonly debug = this.#at("DEBUG");
  readonly info = this.#at("INFO");
  readonly warn = this.#at("WARN");
  readonly error = this.#at("ERROR");

  #at(level: Level) {
    return (target: string, message: string, fields: Fields = {}, span?: Span): void => {
      if (severity[level] < this.#minimum(target)) return;
      if (fields["internal_log_rate_limit"] !== false && this.#settings.rateLimitMs > 0) {
        const key = `${target}\n${message}\n${span?.id ?? ""}`;
        const at = Date.now();
        const seen = this.#seen.get(key);
        if (seen !== undefined && at < seen.until) {
          seen.held += 1;
          if (seen.held === 1)
            this.#suppression(
              level,
              target,
              message,
              "is being suppressed to avoid flooding.",
              span,
            );
          return;
        }
        if (seen !== undefined && seen.held > 0) {
          this.#suppression(
            level,
            target,
            message,
            `has been suppressed ${seen.held} times.`,
            span,
          );
        }
        this.#seen.set(key, { until: at + this.#settings.rateLimitMs, held: 0 });
      }
      this.#write(level, target, message, fields, span);
    };
  }

  #suppression(level: Level, target: string, message: string, what: string, span?: Span): void {
    this.#write(level, target, `Internal log [${message}] ${what}`, {}, span);
  }

  #write(level: Level, target: string, message: string, fields: Fields, span?: Span): void {
    const entries = Object.entries(fields);
    if (this.#settings.format === "text") {
      const where =
        span === undefined
          ? ""
          : `${span.kind}{component_kind="${span.kind}" component_id=${span.id} component_type=${span.type}}: `;
      const values = entries.map(([key, value]) => {
        if (typeof value === "object") return ` ${key}=${value.raw}`;
        return ` ${key}=${typeof value === "string" ? JSON.stringify(value) : value}`;
      });
      writeAll(
        2,
        `${now()} ${level.padStart(5)} ${where}${target}: ${message}${values.join("")}\n`,
      );
      return;
    }
    // Written by hand: Vector's first line carries the key `level` twice.
    const pairs = [
      ["timestamp", now()],
      ["level", level],
      ...(message === "" ? [] : [["message", message] as const]),
      ...entries.map(
        ([key, value]) => [key, typeof value === "object" ? value.raw : value] as const,
      ),
      ["target", target],
    ].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    if (span !== undefined) {
      const json = `{"component_id":${JSON.stringify(span.id)},"component_kind":"${span.kind}","component_type":"${span.type}","name":"${span.kind}"}`;
      pairs.push(`"span":${json}`, `"spans":[${json}]`);
    }
    writeAll(1, `{${pairs.join(",")}}\n`);
  }
}
