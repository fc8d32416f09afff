/** Values that go with a log event. Keys that name secrets are redacted. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logging: the event is a constant phrase, the values are fields. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A logger whose events all carry these fields. */
  child(fields: LogFields): Logger;
}

const levels = ["debug", "info", "warn", "error"] as const;
export type LogLevelName = (typeof levels)[number];

const secretKey = /token|password|secret|authorization|cookie/i;

function printable(key: string, value: unknown): unknown {
  if (secretKey.test(key) && typeof value === "string") return "[redacted]";
  if (!Error.isError(value)) return value;
  const { name, message, stack, cause } = value;
  return {
    name,
    message,
    stack,
    ...(cause === undefined ? {} : { cause: printable("cause", cause) }),
  };
}

/** A logger that writes one JSON object per line. `write` gets the line with its line feed. */
export function createLogger(
  write: (line: string) => void,
  minimum: LogLevelName = "info",
  fields: LogFields = {},
): Logger {
  const log = (level: LogLevelName) => (event: string, more?: LogFields) => {
    if (levels.indexOf(level) < levels.indexOf(minimum)) return;
    const entries = Object.entries({ ...fields, ...more }).map(([k, v]) => [k, printable(k, v)]);
    const record = { time: new Date().toISOString(), level, event, ...Object.fromEntries(entries) };
    write(
      `${JSON.stringify(record, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v))}\n`,
    );
  };
  return {
    debug: log("debug"),
    info: log("info"),
    warn: log("warn"),
    error: log("error"),
    child: (more) => createLogger(write, minimum, { ...fields, ...more }),
  };
}

/** A logger that drops everything. */
export const silentLogger: Logger = createLogger(() => {});
