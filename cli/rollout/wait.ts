import type { NodePipelineStatus } from "#gen/vectorflow/v1/pipeline_pb.ts";
import type { ApiClient } from "../client/client.ts";
import { watchEnvironment } from "../client/watch.ts";
import type { Output } from "../output/output.ts";
import { isGood, isSettled, judgeHosts, type HostOutcome } from "./judge.ts";

/** A version whose arrival on the hosts is waited for. */
export interface Rollout {
  readonly pipelineId: string;
  readonly name: string;
  readonly version: number;
}

export interface WaitOptions {
  readonly environmentId: string;
  readonly waitMs: number;
  readonly skipUnreachable: boolean;
}

export interface RolloutResult extends Rollout {
  readonly good: boolean;
  readonly hosts: readonly HostOutcome[];
}

/** After the first failure the others may still tell theirs: the same reason often comes from all. */
const afterFailureMs = 5_000;

/** Waits until every host runs what was deployed, one fails, or time is up. Tells each step as a note. */
export async function waitForHosts(
  client: ApiClient,
  rollouts: readonly Rollout[],
  options: WaitOptions,
  output: Output,
  signal: AbortSignal,
): Promise<readonly RolloutResult[]> {
  const { environmentId, waitMs, skipUnreachable } = options;
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), waitMs);
  let failureTimer: NodeJS.Timeout | undefined;
  const statuses = new Map<string, NodePipelineStatus>();
  const told = new Map<string, string>();
  const judgeAll = (): RolloutResult[] =>
    rollouts.map((rollout) => {
      const own = [...statuses.values()].filter(
        ({ pipelineId }) => pipelineId === rollout.pipelineId,
      );
      const hosts = judgeHosts(own, rollout.version);
      return { ...rollout, hosts, good: isGood(hosts, skipUnreachable) };
    });
  let synced = false;
  try {
    const ids = rollouts.map(({ pipelineId }) => pipelineId);
    const stopping = AbortSignal.any([signal, end.signal]);
    for await (const message of watchEnvironment(client, environmentId, ids, stopping)) {
      if (message.snapshot && synced) {
        // A new connection tells everything again.
        statuses.clear();
        synced = false;
      }
      for (const status of message.statuses) {
        statuses.set(`${status.pipelineId}/${status.nodeId}`, status);
      }
      for (const key of message.removedStatuses) statuses.delete(key);
      if (message.synced) synced = true;
      if (!synced) continue;
      const results = judgeAll();
      for (const result of results) tellChanges(result, told, output);
      const hosts = results.flatMap((result) => result.hosts);
      if (isSettled(hosts, skipUnreachable)) return results;
      if (hosts.some(({ kind }) => kind === "failed" || kind === "superseded")) {
        failureTimer ??= setTimeout(() => end.abort(), afterFailureMs);
      }
    }
    signal.throwIfAborted();
    const results = judgeAll();
    // Nothing was heard: that is no success.
    return synced ? results : results.map((result) => ({ ...result, good: false }));
  } finally {
    clearTimeout(timer);
    clearTimeout(failureTimer);
    end.abort();
  }
}

function tellChanges(result: RolloutResult, told: Map<string, string>, output: Output): void {
  for (const host of result.hosts) {
    const key = `${result.pipelineId}/${host.nodeId}`;
    const line = `${result.name} on ${host.node}: ${host.text}`;
    if (told.get(key) === line) continue;
    told.set(key, line);
    output.note(line);
  }
}

/** One line for each pipeline, and one for each host that is not as it shall be. */
export function describeResults(results: readonly RolloutResult[]): string {
  return results
    .map(({ name, version, good, hosts }) => {
      const healthy = hosts.filter(({ kind }) => kind === "healthy").length;
      const others = hosts.filter(({ kind }) => kind !== "healthy");
      const head =
        hosts.length === 0
          ? `${name} version ${version}: no host is selected`
          : `${name} version ${version}: ${healthy} of ${hosts.length} hosts run it${good ? "" : " — failed"}`;
      return [head, ...others.map(({ node, text }) => `  ${node} ${text}`)].join("\n");
    })
    .join("\n");
}

export function resultView({ name, version, good, hosts }: RolloutResult) {
  return {
    pipeline: name,
    version,
    ok: good,
    hosts: hosts.map(({ node, kind, text }) => ({ node, outcome: kind, text })),
  };
}
