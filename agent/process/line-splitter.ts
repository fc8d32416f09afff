import { StringDecoder } from "node:string_decoder";

/** Lines longer than this are cut; the rest of the line is dropped. */
export const maxLineLength = 1024 * 1024;

/** Marks a line that was cut. */
export const cutMark = " …[cut]";

/**
 * Turns chunks of bytes into lines. Bytes that are not UTF-8 become replacement characters; a line
 * is bounded by `limit` characters, so that a process which never ends its line costs no memory.
 */
export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #onLine: (line: string) => void;
  readonly #limit: number;
  #partial = "";
  #cut = false;

  constructor(onLine: (line: string) => void, limit: number = maxLineLength) {
    this.#onLine = onLine;
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    this.#take(this.#decoder.write(chunk));
  }

  /** Emits what is left without a line feed. */
  end(): void {
    this.#take(this.#decoder.end());
    if (this.#partial !== "" || this.#cut) this.#emit();
  }

  #take(text: string): void {
    let from = 0;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
      this.#append(text.slice(from, at));
      this.#emit();
      from = at + 1;
    }
    this.#append(text.slice(from));
  }

  #append(text: string): void {
    if (this.#cut || text === "") return;
    const room = this.#limit - this.#partial.length;
    this.#cut = text.length > room;
    this.#partial += this.#cut ? text.slice(0, room) : text;
  }

  #emit(): void {
    const line = this.#cut ? this.#partial + cutMark : this.#partial;
    this.#partial = "";
    this.#cut = false;
    this.#onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
  }
}
