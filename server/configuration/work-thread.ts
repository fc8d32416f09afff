import { Worker } from "node:worker_threads";
import { DomainError } from "../errors.ts";
import type { Work, WorkRequest } from "./compiler-worker.ts";

interface Waiting {
  readonly work: Work;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

type Answer = { readonly id: number } & (
  | { readonly result: unknown }
  | { readonly failed: string }
);

export interface ThreadLimits {
  /** For one piece of work, from when the thread turns to it. */
  readonly timeoutMs: number;
  readonly maximumWaiting: number;
  /** The thread ends when nothing came for so long. */
  readonly idleMs: number;
  readonly memoryMib: number;
}

/** A thread that does one piece of work after the other, and is replaced by a new one when a piece runs away. */
export class WorkThread implements AsyncDisposable {
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #nextId = 0;
  #running: number | undefined;
  readonly #limits: ThreadLimits;
  /** In the order in which they came; the first is under way. */
  readonly #waiting = new Map<number, Waiting>();

  constructor(limits: ThreadLimits) {
    this.#limits = limits;
  }

  /** Throws DomainError `exhausted` when too many wait, and `invalid` when it takes too much time or memory. */
  do(work: Work): Promise<unknown> {
    if (this.#waiting.size >= this.#limits.maximumWaiting) {
      throw new DomainError(
        "exhausted",
        "compiler_busy",
        "too many pipelines are being checked; try again",
      );
    }
    const id = (this.#nextId += 1);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { work, resolve, reject });
    if (this.#running === undefined) this.#turnToNext();
    return promise;
  }

  #turnToNext(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running = undefined;
      this.#idle = setTimeout(() => this.#end(), this.#limits.idleMs);
      this.#idle.unref();
      return;
    }
    const [id, { work }] = next;
    this.#running = id;
    clearTimeout(this.#idle);
    this.#timer = setTimeout(() => this.#giveUp(), this.#limits.timeoutMs);
    (this.#worker ??= this.#start()).postMessage({ id, work } satisfies WorkRequest);
  }

  #start(): Worker {
    const worker = new Worker(new URL("./compiler-worker.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.memoryMib },
    });
    worker.unref();
    worker.on("message", (answer: Answer) => this.#settle(answer));
    worker.on("error", () => {
      if (this.#worker === worker) this.#giveUp();
    });
    return worker;
  }

  #settle(answer: Answer): void {
    if (answer.id !== this.#running) return;
    if ("failed" in answer) {
      this.#giveUp();
      return;
    }
    clearTimeout(this.#timer);
    this.#waiting.get(answer.id)?.resolve(answer.result);
    this.#waiting.delete(answer.id);
    this.#turnToNext();
  }

  /** What waits behind the work that ran away goes with it; its callers may try again. */
  #giveUp(): void {
    clearTimeout(this.#timer);
    this.#end();
    const gone = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#running = undefined;
    const [first, ...others] = gone;
    first?.reject(tooHard(this.#limits.timeoutMs));
    for (const other of others) {
      other.reject(
        new DomainError(
          "unavailable",
          "compiler_restarted",
          "the check was interrupted; try again",
        ),
      );
    }
  }

  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#idle);
    clearTimeout(this.#timer);
    await this.#worker?.terminate();
  }
}

function tooHard(timeoutMs: number): DomainError {
  return new DomainError(
    "invalid",
    "pipeline_too_complex",
    `the configuration could not be checked within ${timeoutMs / 1000} s and the memory that is given to it: make it or its programs smaller`,
  );
}
