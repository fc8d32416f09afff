import type { NodeStatus } from "../db/enums.ts";

/** Two and a half beats may be lost before a node counts as unreachable; never under ten seconds. */
const missedBeats = 3;
const shortestLeaseMs = 10_000;
const fullSpeedFleet = 1000;
const longestIntervalMs = 60_000;

/**
 * The interval at which nodes send heartbeats. It grows with the square root of the fleet, so that a fleet
 * of 25 000 costs the server five times a fleet of 1 000 and not twenty-five times (P8).
 */
export function heartbeatInterval(baseMs: number, fleetSize: number): number {
  const stretch = Math.sqrt(Math.max(1, fleetSize / fullSpeedFleet));
  return Math.min(Math.max(baseMs, longestIntervalMs), Math.round(baseMs * stretch));
}

/** How long after its last heartbeat a node counts as unreachable. */
export function leaseMs(intervalMs: number): number {
  return Math.max(shortestLeaseMs, intervalMs * missedBeats);
}

/** What a heartbeat says about a node's health. */
export interface NodeCondition {
  readonly vectorProblem: string;
  readonly fenced: boolean;
  /** The machine that has lately tried to be this node; empty when there was none. */
  readonly rival: string;
  readonly lostLogLines: number;
  readonly diskUsedRatio: number | undefined;
  readonly memoryUsedRatio: number | undefined;
  readonly pipelines: readonly {
    readonly name: string;
    readonly state: "running" | "crashed" | "held" | "not_delivering" | "pending" | "other";
  }[];
}

/** The status of a node that was just heard of, with the reasons against HEALTHY, worst first. */
export function assessNode(condition: NodeCondition): { status: NodeStatus; reasons: string[] } {
  const reasons: string[] = [];
  const named = (state: NodeCondition["pipelines"][number]["state"], text: string): void => {
    const names = condition.pipelines
      .filter((pipeline) => pipeline.state === state)
      .map(({ name }) => name);
    if (names.length === 0) return;
    const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
    reasons.push(`${names.slice(0, 3).join(", ")}${more} ${text}`);
  };
  if (condition.rival !== "") {
    reasons.push(
      `another machine (${condition.rival}) has this host's identity and was refused: run enroll --as-new there`,
    );
  }
  if (condition.vectorProblem !== "") reasons.push(condition.vectorProblem);
  named("crashed", "crashed");
  named("not_delivering", "running, not delivering");
  named("held", "held on the version before");
  if (condition.fenced) reasons.push("ignores this server: it has seen a later state");
  if ((condition.diskUsedRatio ?? 0) >= 0.95) {
    reasons.push(`a disk is ${Math.floor((condition.diskUsedRatio ?? 0) * 100)} % full`);
  }
  if ((condition.memoryUsedRatio ?? 0) >= 0.97) {
    reasons.push(`memory is ${Math.floor((condition.memoryUsedRatio ?? 0) * 100)} % used`);
  }
  if (condition.lostLogLines > 0) reasons.push(`${condition.lostLogLines} log lines were lost`);
  return { status: reasons.length === 0 ? "HEALTHY" : "DEGRADED", reasons };
}
