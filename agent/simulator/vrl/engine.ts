import { Worker } from "node:worker_threads";
import type { SimEvent, Value } from "../event.ts";
import { type Condition, metricFields, nativeCondition } from "./native.ts";
import type { Outcome, Request, Response } from "./protocol.ts";

/** A program that does not end within this is stopped. A full queue of large events on a busy machine takes its time. */
const timeLimitMs = 30_000;
const loadLimitMs = 30_000;

/** VRL, compiled and run. The engine behind it is loaded when the first program needs it. */
export interface Vrl {
  /** The report of a program's errors, or undefined when it compiles. */
  checkProgram(source: string): Promise<string | undefined>;
  checkCondition(source: string): Promise<string | undefined>;
  /** Runs a program on each target. Never rejects: what goes wrong is an outcome. */
  run(source: string, targets: readonly Value[]): Promise<readonly Outcome[]>;
  /** The verdicts of a condition; undefined where it failed. */
  decide(source: string, events: readonly SimEvent[]): Promise<readonly (boolean | undefined)[]>;
}

type Unnumbered = Request extends infer R ? (R extends Request ? Omit<R, "id"> : never) : never;

/**
 * The engine is WebAssembly in a worker: it can hang (then the worker is ended after a time limit)
 * and it can break (then the next request gets a new worker).
 */
export class WorkerVrl implements Vrl {
  #worker: { readonly thread: Worker; readonly ready: Promise<void> } | undefined;
  #next = 0;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #conditions = new Map<string, Condition | undefined>();

  checkProgram(source: string): Promise<string | undefined> {
    return this.#check(source, false);
  }

  async checkCondition(source: string): Promise<string | undefined> {
    return this.#native(source) === undefined ? this.#check(source, true) : undefined;
  }

  async #check(source: string, condition: boolean): Promise<string | undefined> {
    const response = await this.#ask({ kind: "check", source, condition });
    if (response.kind === "broken") return `\nerror: ${response.message}\n`;
    return response.kind === "checked" && response.report !== "" ? response.report : undefined;
  }

  async run(source: string, targets: readonly Value[]): Promise<readonly Outcome[]> {
    const response = await this.#ask({ kind: "run", source, targets });
    if (response.kind === "ran") return response.outcomes;
    const message = response.kind === "broken" ? response.message : "no answer";
    return targets.map(() => ({ kind: "error", message }));
  }

  async decide(
    source: string,
    events: readonly SimEvent[],
  ): Promise<readonly (boolean | undefined)[]> {
    const native = this.#native(source);
    if (native !== undefined) return events.map(native);
    const outcomes = await this.run(source, events.map(targetOf));
    return outcomes.map((outcome) =>
      outcome.kind === "done" ? outcome.result === true : undefined,
    );
  }

  #native(source: string): Condition | undefined {
    if (!this.#conditions.has(source)) this.#conditions.set(source, nativeCondition(source));
    return this.#conditions.get(source);
  }

  /** One request at a time, so that the time limit is that of the request alone. */
  #ask(request: Unnumbered): Promise<Response> {
    const answer = this.#queue.then(() => this.#exchange({ ...request, id: (this.#next += 1) }));
    this.#queue = answer;
    return answer;
  }

  async #exchange(request: Request): Promise<Response> {
    const worker = (this.#worker ??= startWorker());
    try {
      await worker.ready;
      const response = await withLimit<Response>(
        timeLimitMs,
        "the program did not end in time",
        (resolve, reject) => {
          worker.thread.once("message", resolve);
          worker.thread.once("error", reject);
          // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
          worker.thread.postMessage(request);
        },
      );
      worker.thread.removeAllListeners("error");
      if (response.kind === "broken") await this.#drop();
      return response;
    } catch (error) {
      await this.#drop();
      return {
        id: request.id,
        kind: "broken",
        message: error instanceof Error ? error.message : String(error),
      };
    }
  }

  async #drop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.thread.terminate();
  }
}

function startWorker(): { thread: Worker; ready: Promise<void> } {
  const thread = new Worker(new URL("worker.ts", import.meta.url));
  // The worker must not keep a finished `validate` alive.
  thread.unref();
  const ready = withLimit<void>(loadLimitMs, "the VRL engine did not load", (resolve, reject) => {
    thread.once("message", () => resolve());
    thread.once("error", reject);
  });
  return { thread, ready };
}

async function withLimit<T>(
  ms: number,
  message: string,
  start: (resolve: (value: T) => void, reject: (reason: unknown) => void) => void,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => reject(new Error(message)), ms);
  try {
    start(resolve, reject);
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** An event as a VRL program sees it. */
export function targetOf(event: SimEvent): Value {
  return event.kind === "log" ? event.fields : metricFields(event);
}
