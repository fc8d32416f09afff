import { LogLevel, type LogLine } from "#gen/vectorflow/v1/log_pb.ts";

import { RingBuffer } from "../lib/ring-buffer.ts";
import type { Tone } from "../ui/mark.tsx";

export const maxLines = 5_000;

/** The newest lines of a tail. A tail that was opened again repeats lines; they count once. */
export class LogBuffer {
  readonly #lines = new RingBuffer<LogLine>(maxLines);
  #ids = new Set<string>();
  #skipped = 0;

  /** Returns how many lines were new. */
  add(lines: readonly LogLine[], skipped: number): number {
    const fresh = lines.filter(({ id }) => id === "" || !this.#ids.has(id));
    for (const { id } of fresh) if (id !== "") this.#ids.add(id);
    this.#lines.push(...fresh);
    this.#skipped += skipped;
    if (this.#ids.size > 2 * maxLines) {
      this.#ids = new Set(this.#lines.toArray().map(({ id }) => id));
    }
    return fresh.length;
  }

  toArray(): readonly LogLine[] {
    return this.#lines.toArray();
  }

  /** Lines that the server left out because they came too fast. */
  get skipped(): number {
    return this.#skipped;
  }
}

/** Lines that contain the text, whatever its case. */
export function searchLines(lines: readonly LogLine[], search: string): readonly LogLine[] {
  const wanted = search.trim().toLowerCase();
  if (wanted === "") return lines;
  return lines.filter((line) =>
    `${line.text} ${line.nodeName} ${line.componentKey}`.toLowerCase().includes(wanted),
  );
}

export function levelWord(level: LogLevel): { readonly word: string; readonly tone: Tone } {
  switch (level) {
    case LogLevel.TRACE:
      return { word: "trace", tone: "idle" };
    case LogLevel.DEBUG:
      return { word: "debug", tone: "idle" };
    case LogLevel.INFO:
      return { word: "info", tone: "info" };
    case LogLevel.WARN:
      return { word: "warn", tone: "warn" };
    case LogLevel.ERROR:
      return { word: "error", tone: "bad" };
    default:
      return { word: "–", tone: "idle" };
  }
}

export const levelOptions = [
  { value: "all", label: "All levels", level: LogLevel.UNSPECIFIED },
  { value: "debug", label: "Debug and worse", level: LogLevel.DEBUG },
  { value: "info", label: "Info and worse", level: LogLevel.INFO },
  { value: "warn", label: "Warnings and errors", level: LogLevel.WARN },
  { value: "error", label: "Errors", level: LogLevel.ERROR },
] as const;

export type LevelId = (typeof levelOptions)[number]["value"];

/** The level that an address names; everything when it names none. */
export function parseLevel(value: string | string[] | undefined): (typeof levelOptions)[number] {
  return levelOptions.find((option) => option.value === value) ?? levelOptions[0];
}
