import { NodeStatus, type Node } from "#gen/vectorflow/v1/node_pb.ts";

import { millisOf } from "../lib/time.ts";
import type { Tone } from "../ui/mark.tsx";

/** The states a host can be seen in. Maintenance and a revoked token say more than its health. */
export const hostStates = [
  { id: "healthy", word: "healthy", tone: "ok" },
  { id: "degraded", word: "degraded", tone: "warn" },
  { id: "unreachable", word: "unreachable", tone: "bad" },
  { id: "unknown", word: "unknown", tone: "idle" },
  { id: "maintenance", word: "maintenance", tone: "info" },
] as const satisfies readonly { id: string; word: string; tone: Tone }[];

export type HostStateId = (typeof hostStates)[number]["id"];

export interface HostState {
  readonly id: HostStateId;
  readonly word: string;
  readonly tone: Tone;
  /** Why, in one line; empty when there is nothing to say. */
  readonly reason: string;
}

export function hostState(host: Node): HostState {
  const id = hostStateId(host);
  const state = hostStates.find((candidate) => candidate.id === id) ?? hostStates[3];
  return { ...state, reason: reasonOf(host) };
}

export function hostStateId(host: Node): HostStateId {
  if (host.maintenance && host.status !== NodeStatus.UNREACHABLE) return "maintenance";
  switch (host.status) {
    case NodeStatus.HEALTHY:
      return "healthy";
    case NodeStatus.DEGRADED:
      return "degraded";
    case NodeStatus.UNREACHABLE:
      return "unreachable";
    default:
      return "unknown";
  }
}

function reasonOf(host: Node): string {
  const reasons = [...host.reasons];
  if (host.fenced) reasons.unshift("ignores this server's state: it has seen a newer one");
  if (host.revoked) reasons.unshift("its token was revoked");
  return reasons.join("; ");
}

/** What people search a host by, in lower case. */
export function hostSearchText(host: Node): string {
  const labels = Object.entries({ ...host.reportedLabels, ...host.labels });
  return [
    host.name,
    host.host,
    host.os,
    host.osRelease,
    host.agentVersion,
    host.vectorVersion,
    host.simulated ? "simulated" : "",
    ...labels.map(([key, value]) => `${key}=${value}`),
  ]
    .join(" ")
    .toLowerCase();
}

export function memoryRatio(host: Node): number | undefined {
  const { usage } = host;
  return usage && usage.memoryTotalBytes > 0
    ? usage.memoryUsedBytes / usage.memoryTotalBytes
    : undefined;
}

const severity: Record<HostStateId, number> = {
  unreachable: 0,
  degraded: 1,
  unknown: 2,
  maintenance: 3,
  healthy: 4,
};

const collator = new Intl.Collator("en", { numeric: true });

type Compare = (a: Node, b: Node) => number;

const byName: Compare = (a, b) => collator.compare(a.name, b.name) || collator.compare(a.id, b.id);

const compares: Record<string, Compare> = {
  name: byName,
  state: (a, b) => severity[hostStateId(a)] - severity[hostStateId(b)],
  vector: (a, b) => collator.compare(a.vectorVersion, b.vectorVersion),
  agent: (a, b) => collator.compare(a.agentVersion, b.agentVersion),
  os: (a, b) => collator.compare(`${a.os} ${a.osRelease}`, `${b.os} ${b.osRelease}`),
  pipelines: (a, b) => a.pipelinesTotal - b.pipelinesTotal,
  cpu: (a, b) => (a.usage?.cpuRatio ?? -1) - (b.usage?.cpuRatio ?? -1),
  memory: (a, b) => (memoryRatio(a) ?? -1) - (memoryRatio(b) ?? -1),
  seen: (a, b) => (millisOf(a.lastSeenTime) ?? 0) - (millisOf(b.lastSeenTime) ?? 0),
};

export interface HostQuery {
  readonly text: string;
  readonly states: ReadonlySet<string>;
  readonly column: string;
  readonly descending: boolean;
}

/** The ids of the hosts to show, in order. Every word of the text must be found. */
export function selectHosts(hosts: readonly Node[], query: HostQuery): string[] {
  const words = query.text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = hosts.filter((host) => {
    if (query.states.size > 0 && !query.states.has(hostStateId(host))) return false;
    if (words.length === 0) return true;
    const text = hostSearchText(host);
    return words.every((word) => text.includes(word));
  });
  const compare = compares[query.column] ?? byName;
  const sign = query.descending ? -1 : 1;
  found.sort((a, b) => sign * compare(a, b) || byName(a, b));
  return found.map(({ id }) => id);
}

export function countStates(hosts: readonly Node[]): Record<HostStateId, number> {
  const counts = { healthy: 0, degraded: 0, unreachable: 0, unknown: 0, maintenance: 0 };
  for (const host of hosts) counts[hostStateId(host)]++;
  return counts;
}
