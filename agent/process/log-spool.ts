import { boundedText } from "../text.ts";
import type { Level } from "./vector-log-line.ts";

/** One line for the server. */
export interface SpooledLine {
  readonly pipelineId: string;
  readonly time: Date;
  readonly level: Level;
  readonly stream: "stdout" | "stderr" | "agent";
  readonly componentId: string;
  readonly text: string;
}

/** Lines that were sent, or are being sent, under one sequence number. */
export interface SpooledBatch {
  readonly sequence: number;
  readonly lines: readonly SpooledLine[];
  /** Lines that were dropped before this batch. */
  readonly lost: number;
}

export interface SpoolBounds {
  readonly maxLines: number;
  readonly maxBytes: number;
  readonly maxLineBytes: number;
}

const defaults: SpoolBounds = {
  maxLines: 10_000,
  maxBytes: 8 * 1024 * 1024,
  maxLineBytes: 8 * 1024,
};

// What a line costs beside its text.
const lineOverhead = 200;

/** The most lines and bytes of text in one batch. */
export const maxBatchLines = 500;
const maxBatchBytes = 256 * 1024;

function costOf(line: SpooledLine): number {
  return lineOverhead + line.text.length;
}

function sum(lines: readonly SpooledLine[]): number {
  return lines.reduce((total, line) => total + costOf(line), 0);
}

/**
 * Log lines between Vector and the server (P7). A ring: bounded in lines and bytes, the oldest are
 * dropped and counted. A batch keeps its sequence and its lines until it is acknowledged, and is
 * sent again in the next session.
 */
export class LogSpool {
  /** Tells this spool's sequences from those of an earlier run of the agent. */
  readonly id: string;
  readonly #bounds: SpoolBounds;
  #waiting: SpooledLine[] = [];
  // Read position in #waiting, so that taking a batch does not copy the rest.
  #head = 0;
  #batches: SpooledBatch[] = [];
  #bytes = 0;
  #sequence = 0;
  #lostBeforeBatch = 0;
  #lostBeforeBeat = 0;
  #lostEver = 0;
  #onLines: (() => void) | undefined;

  constructor(id: string, bounds: SpoolBounds = defaults) {
    this.id = id;
    this.#bounds = bounds;
  }

  add(line: SpooledLine): void {
    const bounded = { ...line, text: boundedText(line.text, this.#bounds.maxLineBytes) };
    this.#waiting.push(bounded);
    this.#bytes += costOf(bounded);
    while (this.lines > this.#bounds.maxLines || this.#bytes > this.#bounds.maxBytes) {
      this.#dropOldest();
    }
    this.#onLines?.();
  }

  /** Lines that are held, sent or not. */
  get lines(): number {
    return this.#unsent + this.linesUnderWay;
  }

  /** Lines lost since the agent started. */
  get totalLost(): number {
    return this.#lostEver;
  }

  /** Lines in batches that are not acknowledged. */
  get linesUnderWay(): number {
    return this.#batches.reduce((total, batch) => total + batch.lines.length, 0);
  }

  get #unsent(): number {
    return this.#waiting.length - this.#head;
  }

  /** The batches that were sent and not acknowledged, oldest first. */
  get unacknowledged(): readonly SpooledBatch[] {
    return this.#batches;
  }

  /** Makes the next batch of at most `limit` lines; undefined when there is nothing to send. */
  nextBatch(limit: number): SpooledBatch | undefined {
    const most = Math.min(limit, maxBatchLines, this.#unsent);
    if (most <= 0) return undefined;
    let bytes = 0;
    let end = this.#head;
    while (end < this.#head + most && (end === this.#head || bytes < maxBatchBytes)) {
      bytes += this.#waiting[end]?.text.length ?? 0;
      end++;
    }
    const lines = this.#waiting.slice(this.#head, end);
    this.#head = end;
    this.#compact();
    const batch = { sequence: ++this.#sequence, lines, lost: this.#lostBeforeBatch };
    this.#lostBeforeBatch = 0;
    this.#batches.push(batch);
    return batch;
  }

  /** All batches up to this sequence are stored, or never will be. */
  acknowledge(sequence: number): void {
    const done = this.#batches.filter((batch) => batch.sequence <= sequence);
    this.#batches = this.#batches.filter((batch) => batch.sequence > sequence);
    for (const batch of done) this.#bytes -= sum(batch.lines);
    this.#onLines?.();
  }

  /** Lines lost since this was last asked, for the heartbeat. */
  takeLost(): number {
    const lost = this.#lostBeforeBeat;
    this.#lostBeforeBeat = 0;
    return lost;
  }

  /** Calls back when there may be something to send. One listener at a time. */
  notify(listener: () => void): Disposable {
    this.#onLines = listener;
    return {
      [Symbol.dispose]: () => {
        if (this.#onLines === listener) this.#onLines = undefined;
      },
    };
  }

  #dropOldest(): void {
    const batch = this.#batches.shift();
    if (batch !== undefined) {
      this.#bytes -= sum(batch.lines);
      // The loss that the batch would have told of must not be forgotten with it.
      this.#count(batch.lines.length);
      this.#lostBeforeBatch += batch.lost;
      return;
    }
    const line = this.#waiting[this.#head];
    if (line === undefined) return;
    this.#head++;
    this.#bytes -= costOf(line);
    this.#count(1);
    this.#compact();
  }

  #count(lines: number): void {
    this.#lostBeforeBatch += lines;
    this.#lostBeforeBeat += lines;
    this.#lostEver += lines;
  }

  #compact(): void {
    if (this.#head < 1_000 && this.#head < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#head);
    this.#head = 0;
  }
}
