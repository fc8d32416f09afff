import type { VersionDifference } from "../schemas/version-difference.ts";
import type { SampleTried, TestsRan } from "../trials/trial-work.ts";
import type { CheckContext } from "./check/check.ts";
import type { FilledPipeline } from "./compile-filled.ts";
import type { Work } from "./compiler-worker.ts";
import type { PipelineEdit } from "./edit/edit-text.ts";
import type { PipelineGraph } from "./graph.ts";
import type { Renamed } from "./edit/rename.ts";
import type { Exported, ExportFormat } from "./interchange/export-config.ts";
import type { ImportedConfig, ImportFile } from "./interchange/import-config.ts";
import { WorkThread, type ThreadLimits } from "./work-thread.ts";

const usual: ThreadLimits = {
  timeoutMs: 5000,
  maximumWaiting: 50,
  // Somebody who edits comes back within this time; a new thread has to load and warm up the compiler again.
  idleMs: 10 * 60_000,
  memoryMib: 1024,
};

/** Texts with more bytes have a thread of their own: the check of a small one never waits for that of a large one. */
const largeBytes = 500_000;
const large: ThreadLimits = {
  timeoutMs: 60_000,
  maximumWaiting: 4,
  idleMs: 60_000,
  memoryMib: 2048,
};
const maximumDifferences = 50;

/**
 * Compiles pipelines on threads of its own: a large text never stalls the streams on the event loop, and a text that
 * makes a parser or the VRL compiler run away costs only its thread, which is then replaced.
 */
export class PipelineCompiler implements AsyncDisposable {
  readonly #usual: WorkThread;
  readonly #large = new WorkThread(large);
  readonly #differences = new Map<string, VersionDifference | undefined>();

  constructor(timeoutMs = usual.timeoutMs) {
    this.#usual = new WorkThread({ ...usual, timeoutMs });
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
    return (sizeOf(work) > largeBytes ? this.#large : this.#usual).do(work);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#usual[Symbol.asyncDispose](), this.#large[Symbol.asyncDispose]()]);
  }
}

/** Of what people wrote, about in bytes. */
function sizeOf(work: Work): number {
  if ("text" in work) return work.text.length;
  return work.kind === "import"
    ? work.files.reduce((sum, { content }) => sum + content.length, 0)
    : 0;
}
