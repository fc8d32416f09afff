import { isDeepStrictEqual } from "node:util";
import { Latest } from "#common/latest.ts";
import type { Logger } from "#common/logger.ts";
import { drainMs } from "../process/limits.ts";
import { PipelineRunner, type RunnerDeps } from "../process/runner.ts";
import type { NodeStateStore } from "../state/node-state.ts";
import { noLimits, type Manifest, type ManifestEntry, type PipelineBody } from "./desired-state.ts";
import { planActions } from "./plan.ts";

/** Why a manifest is not obeyed (P10). */
export interface Refusal {
  readonly reason: string;
  readonly highestGeneration: bigint;
  readonly installationId: string;
}

/** One pipeline: what it shall be, and the runner of now. A runner that ends may be followed by another. */
interface Driven {
  entry: ManifestEntry | undefined;
  runner: PipelineRunner | undefined;
  /** Resolves when there is a runner for the first time. */
  readonly ready: PromiseWithResolvers<void>;
  done: Promise<void>;
}

/** After a runner failed for a reason that nobody foresaw. */
const failedPauseMs = 5_000;

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
  readonly #driven = new Map<string, Driven>();
  readonly #told = new Map<string, ManifestEntry>();
  readonly #ready = Promise.withResolvers<void>();

  constructor(deps: RunnerDeps, state: NodeStateStore, installationId: () => string) {
    this.#deps = deps;
    this.#state = state;
    this.#log = deps.log;
    this.#installationId = installationId;
  }

  runners(): readonly PipelineRunner[] {
    return [...this.#driven.values()].flatMap(({ runner }) => runner ?? []);
  }

  runner(pipelineId: string): PipelineRunner | undefined {
    return this.#driven.get(pipelineId)?.runner;
  }

  /** Hashes of the bodies on disk that can be read, by pipeline. The server sends none of these (P1). */
  async heldHashes(): Promise<Readonly<Record<string, string>>> {
    const held = await Promise.all(
      this.runners().map(async (runner) => [runner.id, await runner.heldHash()] as const),
    );
    return Object.fromEntries(
      held.flatMap(([id, hash]) => (hash === undefined ? [] : [[id, hash]])),
    );
  }

  /** The pipelines that wait for a configuration which this disk does not have. */
  lacking(): readonly string[] {
    return this.runners().flatMap(({ id, lacksBody }) => (lacksBody ? [id] : []));
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
    for (const body of bodies) await this.#store(body);
    // A server that says the same over and over wears no disk out.
    if (!isDeepStrictEqual(manifest, this.#state.manifest)) await this.#state.save(manifest);
    this.#wanted.put(manifest.entries);
    return undefined;
  }

  async #store(body: PipelineBody): Promise<void> {
    const { pipelineId, hash } = body;
    const runner = this.runner(pipelineId);
    const { store } = this.#deps;
    runner?.expectBody(hash);
    try {
      // What cannot be read is written anew.
      if ((await store.loadBody(pipelineId, hash)).kind !== "found") await store.saveBody(body);
      runner?.look();
    } catch (error) {
      // The others go on; this pipeline says that its configuration is not here.
      this.#log.error("cannot store a configuration", { pipelineId, error });
    }
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

  /** Resolves when the pipelines of before are known again, so that a report tells of all of them. */
  async ready(): Promise<void> {
    await this.#ready.promise;
  }

  /** Runs until the signal; then all processes have ended, in parallel. */
  async run(signal: AbortSignal): Promise<void> {
    const { leftovers, limits } = this.#deps;
    const known = await this.#lastKnown();
    // Of pipelines that are wanted no more: an agent died while it took them away.
    const unwanted = leftovers.pipelineIds
      .filter((id) => !known.some(({ pipelineId }) => pipelineId === id))
      .map((id) => leftovers.end(id, drainMs(limits), this.#deps));
    try {
      this.#reconcile(known, signal);
      await Promise.all([...this.#driven.values()].map(({ ready }) => ready.promise));
      this.#ready.resolve();
      while (!signal.aborted) {
        const entries = await this.#wanted.take(signal);
        this.#reconcile(entries, signal);
      }
    } finally {
      await Promise.allSettled([...this.#driven.values()].map(({ done }) => done));
      await Promise.allSettled(unwanted);
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
        limits: noLimits,
      });
    }
    return entries;
  }

  /** Never waits: one pipeline that drains for a minute delays no other (A6). */
  #reconcile(entries: readonly ManifestEntry[], signal: AbortSignal): void {
    for (const action of planActions(entries, this.#told)) {
      switch (action.kind) {
        case "remove": {
          const driven = this.#driven.get(action.pipelineId);
          this.#told.delete(action.pipelineId);
          if (driven !== undefined) driven.entry = undefined;
          driven?.runner?.remove();
          break;
        }
        case "add":
        case "update":
          this.#told.set(action.entry.pipelineId, action.entry);
          this.#want(action.entry, signal);
          break;
      }
    }
  }

  #want(entry: ManifestEntry, signal: AbortSignal): void {
    const driven = this.#driven.get(entry.pipelineId);
    if (driven !== undefined) {
      // If its runner is ending, the next one takes this up: two of one pipeline never meet.
      driven.entry = entry;
      driven.runner?.want(entry);
      return;
    }
    const fresh: Driven = {
      entry,
      runner: undefined,
      ready: Promise.withResolvers(),
      done: Promise.resolve(),
    };
    this.#driven.set(entry.pipelineId, fresh);
    fresh.done = this.#drive(entry.pipelineId, fresh, signal);
  }

  async #drive(pipelineId: string, driven: Driven, signal: AbortSignal): Promise<void> {
    for (let { entry } = driven; entry !== undefined && !signal.aborted; { entry } = driven) {
      try {
        const record = await this.#deps.store.loadRecord(pipelineId);
        driven.runner = new PipelineRunner(driven.entry ?? entry, record, this.#deps);
        driven.ready.resolve();
        // Removed while its record was read: its files must go all the same.
        if (driven.entry === undefined) driven.runner.remove();
        await driven.runner.run(signal);
      } catch (error) {
        this.#log.error("a pipeline's runner failed", { pipelineId, error });
        await this.#deps.clock.sleep(failedPauseMs, signal).catch(() => {});
      } finally {
        driven.runner = undefined;
      }
    }
    driven.ready.resolve();
    this.#driven.delete(pipelineId);
  }
}
