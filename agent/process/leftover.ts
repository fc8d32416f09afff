import { readdir, readFile } from "node:fs/promises";

import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";

import type { PipelineStore } from "../state/pipeline-store.ts";
import { processStartTime, signalGroup } from "./process-identity.ts";

const pollMs = 25;

interface Leftover {
  readonly pid: number;
  readonly startTime: string;
}

/** The Vector processes of this machine by configuration file; only where there is a /proc. */
async function processesByConfig(): Promise<ReadonlyMap<string, readonly Leftover[]>> {
  const found = new Map<string, Leftover[]>();
  for (const name of await readdir("/proc").catch((): string[] => [])) {
    if (!/^\d+$/.test(name)) continue;
    const line = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    const argv = line.split("\0");
    if (!argv.includes("--graceful-shutdown-limit-secs")) continue;
    const startTime = await processStartTime(Number(name));
    const config = argv[argv.indexOf("--config-yaml") + 1];
    if (startTime === undefined || config === undefined) continue;
    found.getOrInsertComputed(config, () => []).push({ pid: Number(name), startTime });
  }
  return found;
}

async function isAlive(leftover: Leftover): Promise<boolean> {
  return (await processStartTime(leftover.pid)) === leftover.startTime;
}

/** Not to be called off: a process that was found is gone when the agent is. */
async function end(leftover: Leftover, graceMs: number, clock: Clock): Promise<void> {
  const { signal } = new AbortController();
  if (await isAlive(leftover)) signalGroup(leftover.pid, "SIGTERM");
  for (let waited = 0; waited < graceMs && (await isAlive(leftover)); waited += pollMs) {
    await clock.sleep(pollMs, signal);
  }
  if (await isAlive(leftover)) signalGroup(leftover.pid, "SIGKILL");
  while (await isAlive(leftover)) await clock.sleep(pollMs, signal);
}

/**
 * The processes that an agent which died left behind. Each is known by its process id with its start
 * time, and by the configuration on its command line in case the agent died before it could write
 * that down. They are ended before their pipeline starts, so that none ever runs twice (A9); asked
 * first, so that they deliver what they hold. They cannot be kept, because nobody reads their output.
 */
export class Leftovers {
  readonly #byPipeline: Map<string, readonly Leftover[]>;
  readonly #store: PipelineStore;

  private constructor(byPipeline: Map<string, readonly Leftover[]>, store: PipelineStore) {
    this.#byPipeline = byPipeline;
    this.#store = store;
  }

  /** Looks for the processes of all pipelines that have a folder here. */
  static async find(store: PipelineStore): Promise<Leftovers> {
    const byConfig = await processesByConfig();
    const found = await Promise.all(
      (await store.ids()).map(async (pipelineId) => {
        const recorded = await store.loadProcess(pipelineId);
        const alive = recorded !== undefined && (await isAlive(recorded)) ? [recorded] : [];
        const named = byConfig.get(store.paths(pipelineId).config) ?? [];
        const all = new Map([...alive, ...named].map((leftover) => [leftover.pid, leftover]));
        return [pipelineId, [...all.values()]] as const;
      }),
    );
    return new Leftovers(new Map(found.filter(([, all]) => all.length > 0)), store);
  }

  /** The pipelines that have any. */
  get pipelineIds(): readonly string[] {
    return [...this.#byPipeline.keys()];
  }

  /** Ends those of one pipeline; with force after the grace. */
  async end(
    pipelineId: string,
    graceMs: number,
    deps: { readonly clock: Clock; readonly log: Logger },
  ): Promise<void> {
    for (const leftover of this.#byPipeline.get(pipelineId) ?? []) {
      deps.log.warn("ends a process that an earlier agent left", { pipelineId, pid: leftover.pid });
      await end(leftover, graceMs, deps.clock);
    }
    this.#byPipeline.delete(pipelineId);
    await this.#store.clearProcess(pipelineId);
  }
}
