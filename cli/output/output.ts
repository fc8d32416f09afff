import { stringify } from "yaml";
import type { OutputFormat } from "../config.ts";
import type { Paint } from "./colour.ts";
import { printable } from "./printable.ts";

/** Where a command's words go. What a program reads is on the standard output, everything else on the other. */
export interface Output {
  readonly format: OutputFormat;
  /** For the standard output. */
  readonly paint: Paint;
  /** The result: the value for programs, or the text for people. Called once. */
  result(value: unknown, text: () => string): void;
  /** One of many results: one line of JSON, or one document of YAML. */
  item(value: unknown, text: () => string): void;
  /** What people shall see before the result; programs find it in the result. */
  show(lines: readonly string[]): void;
  /** Exactly this, in every format. */
  raw(text: string): void;
  /** What a person should know meanwhile. */
  note(text: string): void;
}

export function createOutput(
  format: OutputFormat,
  paint: Paint,
  write: (text: string) => void,
  writeNote: (text: string) => void,
): Output {
  const print = (value: unknown, text: () => string, indent: number): void => {
    if (format === "json") write(`${JSON.stringify(value, null, indent)}\n`);
    else if (format === "yaml")
      write(stringify(value, { lineWidth: 0, aliasDuplicateObjects: false }));
    else write(`${text()}\n`);
  };
  return {
    format,
    paint,
    result: (value, text) => print(value, text, 2),
    item: (value, text) => {
      if (format === "yaml") write("---\n");
      print(value, text, 0);
    },
    show: (lines) => {
      if (format === "table" && lines.length > 0) write(`${lines.join("\n")}\n`);
    },
    raw: write,
    note: (text) => writeNote(`${printable(text)}\n`),
  };
}
