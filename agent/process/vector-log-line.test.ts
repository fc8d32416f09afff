import { expect, test } from "vitest";
import { parseVectorLine } from "./vector-log-line.ts";

const json = (fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ timestamp: "2026-11-24T10:00:00.000000Z", target: "vector::app", ...fields });

test.each([
  ["a count of errors", json({ level: "INFO", message: "0 errors" }), "info"],
  ["a word in the message", json({ level: "INFO", message: "ERROR: all is well" }), "info"],
  ["a word in a field", json({ level: "DEBUG", message: "done", error: "none" }), "debug"],
  ["an error that speaks of info", json({ level: "ERROR", message: "no info" }), "error"],
  [
    "the text format",
    "2026-11-24T10:00:00.000000Z  INFO vector::app: 0 errors, 0 warnings",
    "info",
  ],
  [
    "a warning in the text format",
    "2026-11-24T10:00:00.000000Z  WARN vector::app: an error was avoided",
    "warn",
  ],
  // What a console sink prints may say what it likes.
  ["an event of the console sink", `{"level":"error","message":"user failed"}`, "info"],
  ["a line of no format", "ERROR this is an event", "info"],
])(
  "the level comes from the structure of the line and not from words: %s (S5)",
  (_name, line, level) => {
    expect(parseVectorLine(line, "stdout").level).toBe(level);
  },
);
