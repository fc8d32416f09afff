import { readdir, readFile } from "node:fs/promises";

import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";

import type { PipelineStore } from "../state/pipeline-store.ts";
import { processStartTime, signalGroup } from "./process-identity.ts";

const graceMs = 3_000;
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

async function end(leftover: Leftover, clock: Clock, signal: AbortSignal): Promise<void> {
  signalGroup(leftover.pid, "SIGTERM");
  for (let waited = 0; waited < graceMs && (await isAlive(leftover)); waited += pollMs) {
    await clock.sleep(pollMs, signal);
  }
  // Also when it has ended: its group may hold what it had started.
  if (await isAlive(leftover)) signalGroup(leftover.pid, "SIGKILL");
  while (await isAlive(leftover)) await clock.sleep(pollMs, signal);
}

/**
 * Ends the processes that an agent which died left behind, so that no pipeline ever runs twice (A9).
 * Each is known by its process id with its start time, and by the configuration on its command line
 * in case the agent died before it could write that down.
 */
export async function endLeftovers(
  store: PipelineStore,
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const byConfig = await processesByConfig();
  const ids = await store.ids();
  await Promise.all(
    ids.map(async (pipelineId) => {
      const recorded = await store.loadProcess(pipelineId);
      const alive = recorded !== undefined && (await isAlive(recorded)) ? [recorded] : [];
      const named = byConfig.get(store.paths(pipelineId).config) ?? [];
      const all = new Map([...alive, ...named].map((leftover) => [leftover.pid, leftover]));
      for (const leftover of all.values()) {
        log.warn("ends a process that an earlier agent left", { pipelineId, pid: leftover.pid });
        await end(leftover, clock, signal);
      }
      await store.clearProcess(pipelineId);
    }),
  );
}
