import { Worker } from "node:worker_threads";
import { DomainError } from "../errors.ts";
import type { CheckContext } from "./check.ts";
import type { FilledPipeline } from "./compile-filled.ts";

interface Waiting {
  resolve(compiled: FilledPipeline): void;
  reject(error: Error): void;
  readonly timer: NodeJS.Timeout;
}

type Answer = { readonly id: number } & (
  | { readonly compiled: FilledPipeline }
  | { readonly failed: string }
);

const defaultTimeoutMs = 5000;
const idleMs = 60_000;
const maximumWaiting = 50;

/**
 * Compiles pipelines on a thread of its own: a large text never stalls the streams on the event loop, and
 * a text that makes a parser or the VRL compiler run away costs only the thread, which is then replaced.
 */
export class PipelineCompiler implements AsyncDisposable {
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #nextId = 0;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<number, Waiting>();

  constructor(timeoutMs = defaultTimeoutMs) {
    this.#timeoutMs = timeoutMs;
  }

  /** Throws DomainError `exhausted` when too many wait, and `invalid` when the text takes too long. */
  compile(text: string, context: CheckContext): Promise<FilledPipeline> {
    if (this.#waiting.size >= maximumWaiting) {
      throw new DomainError(
        "exhausted",
        "compiler_busy",
        "too many pipelines are being checked; try again",
      );
    }
    const id = (this.#nextId += 1);
    const { promise, resolve, reject } = Promise.withResolvers<FilledPipeline>();
    const timer = setTimeout(() => this.#giveUp(id), this.#timeoutMs);
    this.#waiting.set(id, { resolve, reject, timer });
    clearTimeout(this.#idle);
    (this.#worker ??= this.#start()).postMessage({ id, text, context });
    return promise;
  }

  #start(): Worker {
    const worker = new Worker(new URL("./compiler-worker.ts", import.meta.url));
    worker.unref();
    worker.on("message", (answer: Answer) => this.#settle(answer));
    worker.on("error", () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      const [first] = this.#waiting.keys();
      if (first !== undefined) this.#giveUp(first);
    });
    return worker;
  }

  #settle(answer: Answer): void {
    if ("failed" in answer) return this.#giveUp(answer.id);
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(answer.id);
    clearTimeout(waiting.timer);
    waiting.resolve(answer.compiled);
    if (this.#waiting.size === 0) {
      this.#idle = setTimeout(() => this.#replace(), idleMs);
      this.#idle.unref();
    }
    return undefined;
  }

  /** Texts that wait behind the one that took too long go with it; their callers may try again. */
  #giveUp(id: number): void {
    this.#replace();
    for (const [other, waiting] of this.#waiting) {
      clearTimeout(waiting.timer);
      waiting.reject(
        other === id
          ? tooHard(this.#timeoutMs)
          : new DomainError(
              "unavailable",
              "compiler_restarted",
              "the check was interrupted; try again",
            ),
      );
    }
    this.#waiting.clear();
  }

  #replace(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#idle);
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    await this.#worker?.terminate();
  }
}

function tooHard(timeoutMs: number): DomainError {
  return new DomainError(
    "invalid",
    "pipeline_too_complex",
    `the configuration could not be checked within ${timeoutMs / 1000} s: make its programs smaller`,
  );
}
