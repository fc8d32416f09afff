import { Latest } from "#common/latest.ts";
import type { Logger } from "#common/logger.ts";
import { PipelineRunner, type RunnerDeps } from "../process/runner.ts";
import type { NodeStateStore } from "../state/node-state.ts";
import type { Manifest, ManifestEntry, PipelineBody } from "./desired-state.ts";
import { planActions } from "./plan.ts";

/** Why a manifest is not obeyed (P10). */
export interface Refusal {
  readonly reason: string;
  readonly highestGeneration: bigint;
  readonly installationId: string;
}

interface Running {
  readonly runner: PipelineRunner;
  readonly done: Promise<void>;
}

/**
 * Makes the node run what the last accepted manifest lists. It owns the runners; each works by itself, so that
 * one bad pipeline never delays another (A6).
 */
export class Reconciler {
  readonly #deps: RunnerDeps;
  readonly #state: NodeStateStore;
  readonly #log: Logger;
  readonly #installationId: () => string;
  readonly #wanted = new Latest<readonly ManifestEntry[]>();
  readonly #running = new Map<string, Running>();
  readonly #told = new Map<string, ManifestEntry>();

  constructor(deps: RunnerDeps, state: NodeStateStore, installationId: () => string) {
    this.#deps = deps;
    this.#state = state;
    this.#log = deps.log;
    this.#installationId = installationId;
  }

  runners(): readonly PipelineRunner[] {
    return [...this.#running.values()].map(({ runner }) => runner);
  }

  runner(pipelineId: string): PipelineRunner | undefined {
    return this.#running.get(pipelineId)?.runner;
  }

  /** Hashes of the bodies on disk, by pipeline. The server sends none of these (P1). */
  heldHashes(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.runners().flatMap((runner) => {
        const hash = runner.heldHash;
        return hash === undefined ? [] : [[runner.id, hash]];
      }),
    );
  }

  /** The highest generation that was accepted. */
  get highestGeneration(): bigint {
    return this.#state.manifest?.generation ?? 0n;
  }

  /**
   * Takes a complete manifest. Everything is on disk before anything is changed (P5). A lower generation, or the
   * manifest of another installation, changes nothing (P10): the refusal is returned.
   */
  async accept(manifest: Manifest, bodies: readonly PipelineBody[]): Promise<Refusal | undefined> {
    const refusal = this.#refuse(manifest);
    if (refusal !== undefined) return refusal;
    for (const body of bodies) {
      try {
        await this.#deps.store.saveBody(body);
      } catch (error) {
        // The others go on; this pipeline says that its configuration is not here.
        this.#log.error("cannot store a configuration", { pipelineId: body.pipelineId, error });
      }
    }
    await this.#state.save(manifest);
    this.#wanted.put(manifest.entries);
    return undefined;
  }

  #refuse(manifest: Manifest): Refusal | undefined {
    const last = this.#state.manifest;
    const own = this.#installationId();
    const refusal = (reason: string): Refusal => ({
      reason,
      highestGeneration: last?.generation ?? 0n,
      installationId: last?.installationId ?? own,
    });
    if (manifest.installationId !== own) {
      return refusal("the manifest comes from another installation than this host was enrolled in");
    }
    // After an enrollment elsewhere, the generations of the old installation mean nothing.
    if (last === undefined || last.installationId !== own) return undefined;
    if (manifest.generation >= last.generation) return undefined;
    return refusal(
      `the server is at generation ${manifest.generation} and this host has seen ${last.generation}: its database was restored from an older backup`,
    );
  }

  /** The executable or something else outside has changed. */
  lookAgain(): void {
    for (const runner of this.runners()) runner.look();
  }

  /** Runs until the signal; then all processes have ended, in parallel. */
  async run(signal: AbortSignal): Promise<void> {
    this.#wanted.put(await this.#lastKnown());
    try {
      while (!signal.aborted) {
        const entries = await this.#wanted.take(signal);
        await this.#reconcile(entries, signal);
      }
    } finally {
      await Promise.allSettled([...this.#running.values()].map(({ done }) => done));
    }
  }

  /**
   * What ran before: from the last manifest, or, when that cannot be read, from what each pipeline's own files
   * say. A lost file stops nothing (A1).
   */
  async #lastKnown(): Promise<readonly ManifestEntry[]> {
    if (this.#state.manifest !== undefined) return this.#state.manifest.entries;
    const { store } = this.#deps;
    const entries: ManifestEntry[] = [];
    for (const pipelineId of await store.ids()) {
      const record = await store.loadRecord(pipelineId);
      if (record?.effective === undefined) continue;
      entries.push({
        pipelineId,
        name: record.name,
        hash: record.effective.hash,
        version: record.effective.version,
        attempt: record.attempt?.attempt ?? 0,
      });
    }
    return entries;
  }

  async #reconcile(entries: readonly ManifestEntry[], signal: AbortSignal): Promise<void> {
    for (const action of planActions(entries, this.#told)) {
      switch (action.kind) {
        case "remove":
          this.#told.delete(action.pipelineId);
          this.#running.get(action.pipelineId)?.runner.remove();
          break;
        case "update":
          this.#told.set(action.entry.pipelineId, action.entry);
          this.#running.get(action.entry.pipelineId)?.runner.want(action.entry);
          break;
        case "add":
          this.#told.set(action.entry.pipelineId, action.entry);
          await this.#add(action.entry, signal);
          break;
      }
    }
  }

  async #add(entry: ManifestEntry, signal: AbortSignal): Promise<void> {
    const id = entry.pipelineId;
    // The one before may still be ending: two runners of one pipeline must never meet.
    await this.#running.get(id)?.done;
    const runner = new PipelineRunner(entry, await this.#deps.store.loadRecord(id), this.#deps);
    const done = runner
      .run(signal)
      .catch((error: unknown) => {
        this.#log.error("a pipeline's runner failed", { pipelineId: id, error });
      })
      .finally(() => {
        if (this.#running.get(id)?.runner === runner) this.#running.delete(id);
      });
    this.#running.set(id, { runner, done });
  }
}
