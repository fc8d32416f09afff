import { Worker } from "node:worker_threads";
import { DomainError } from "../errors.ts";
import type { VersionDifference } from "../schemas/version-difference.ts";
import type { SampleTried, TestsRan } from "../trials/trial-work.ts";
import type { CheckContext } from "./check/check.ts";
import type { FilledPipeline } from "./compile-filled.ts";
import type { Work, WorkRequest } from "./compiler-worker.ts";
import type { PipelineEdit } from "./edit/edit-text.ts";
import type { PipelineGraph } from "./graph.ts";
import type { Renamed } from "./edit/rename.ts";
import type { Exported, ExportFormat } from "./interchange/export-config.ts";
import type { ImportedConfig, ImportFile } from "./interchange/import-config.ts";

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
  readonly timer: NodeJS.Timeout;
}

type Answer = { readonly id: number } & (
  | { readonly result: unknown }
  | { readonly failed: string }
);

const defaultTimeoutMs = 5000;
/** Somebody who edits comes back within this time; a new thread has to load and warm up the compiler again. */
const idleMs = 10 * 60_000;
const maximumWaiting = 50;
const maximumDifferences = 50;

/**
 * Compiles pipelines on a thread of its own: a large text never stalls the streams on the event loop, and
 * a text that makes a parser or the VRL compiler run away costs only the thread, which is then replaced.
 */
export class PipelineCompiler implements AsyncDisposable {
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #nextId = 0;
  readonly #timeoutMs: number;
  readonly #differences = new Map<string, VersionDifference | undefined>();
  readonly #waiting = new Map<number, Waiting>();

  constructor(timeoutMs = defaultTimeoutMs) {
    this.#timeoutMs = timeoutMs;
  }

  /** Throws DomainError `exhausted` when too many wait, and `invalid` when the text takes too long. */
  compile(text: string, context: CheckContext): Promise<FilledPipeline> {
    return this.#ask({ kind: "compile", text, context }) as Promise<FilledPipeline>;
  }

  /** Takes a text apart, with values in the places of variables, without checking it. Throws as `compile` does. */
  parse(
    text: string,
    variables: Readonly<Record<string, string>>,
  ): Promise<PipelineGraph | undefined> {
    return this.#ask({ kind: "parse", text, variables }) as Promise<PipelineGraph | undefined>;
  }

  /** Changes a text in place. Throws as `compile` does. */
  edit(text: string, edit: PipelineEdit): Promise<Renamed> {
    return this.#ask({ kind: "edit", text, edit }) as Promise<Renamed>;
  }

  /** Runs the tests of a text. Throws as `compile` does. */
  runTests(text: string, context: CheckContext, now: Date): Promise<TestsRan> {
    return this.#ask({ kind: "tests", text, context, now }) as Promise<TestsRan>;
  }

  /** Runs the transforms of a text over events as JSON, by component. Throws as `compile` does. */
  tryOnSample(
    text: string,
    context: CheckContext,
    samples: ReadonlyMap<string, readonly string[]>,
  ): Promise<SampleTried> {
    return this.#ask({ kind: "sample", text, context, samples }) as Promise<SampleTried>;
  }

  /**
   * How a version of Vector differs from what the product knows, by its schema; found out once. Undefined when there is
   * no schema, or it cannot be read.
   */
  async difference(
    version: string,
    load: () => Promise<Uint8Array | undefined>,
  ): Promise<VersionDifference | undefined> {
    if (this.#differences.has(version)) return this.#differences.get(version);
    const schemaGzip = await load();
    if (schemaGzip === undefined) return undefined;
    const difference = await this.#ask({ kind: "schema", version, schemaGzip }).catch(
      () => undefined,
    );
    if (this.#differences.size >= maximumDifferences) this.#differences.clear();
    this.#differences.set(version, difference as VersionDifference | undefined);
    return this.#differences.get(version);
  }

  /** Reads and merges files. Throws as `compile` does. */
  import(files: readonly ImportFile[]): Promise<ImportedConfig> {
    return this.#ask({ kind: "import", files }) as Promise<ImportedConfig>;
  }

  /** Writes a text in another format. Throws as `compile` does. */
  export(text: string, format: ExportFormat): Promise<Exported> {
    return this.#ask({ kind: "export", text, format }) as Promise<Exported>;
  }

  #ask(work: Work): Promise<unknown> {
    if (this.#waiting.size >= maximumWaiting) {
      throw new DomainError(
        "exhausted",
        "compiler_busy",
        "too many pipelines are being checked; try again",
      );
    }
    const id = (this.#nextId += 1);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => this.#giveUp(id), this.#timeoutMs);
    this.#waiting.set(id, { resolve, reject, timer });
    clearTimeout(this.#idle);
    (this.#worker ??= this.#start()).postMessage({ id, work } satisfies WorkRequest);
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
    waiting.resolve(answer.result);
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
