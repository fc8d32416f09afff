import {
  DeployStep,
  NodeReachability,
  ProcessState,
  type NodePipelineStatus,
} from "#gen/vectorflow/v1/pipeline_pb.ts";

/** How one host stands to a version that was deployed. */
export interface HostOutcome {
  readonly nodeId: string;
  readonly node: string;
  readonly kind: "healthy" | "waiting" | "unreachable" | "failed" | "superseded";
  /** What it does, or why it failed. */
  readonly text: string;
}

const stepTexts: Readonly<Record<number, string>> = {
  [DeployStep.WAITING]: "has not confirmed it yet",
  [DeployStep.RECEIVED]: "has received it",
  [DeployStep.VALIDATED]: "has validated it",
  [DeployStep.APPLYING]: "is applying it",
};

/** Where each host stands, by name. Hosts that the pipeline is not for any longer do not count. */
export function judgeHosts(
  statuses: Iterable<NodePipelineStatus>,
  version: number,
): readonly HostOutcome[] {
  return [...statuses]
    .filter(({ desiredVersion }) => desiredVersion !== 0)
    .map((status) => ({
      nodeId: status.nodeId,
      node: status.nodeName,
      ...judge(status, version),
    }))
    .toSorted((a, b) => (a.node.toLowerCase() < b.node.toLowerCase() ? -1 : 1));
}

function judge(status: NodePipelineStatus, version: number): Pick<HostOutcome, "kind" | "text"> {
  const { desiredVersion, effectiveVersion, state, step, reason } = status;
  if (desiredVersion > version) {
    return { kind: "superseded", text: `got version ${desiredVersion}, deployed meanwhile` };
  }
  if (desiredVersion < version) return { kind: "waiting", text: "has not been told yet" };
  const runs = effectiveVersion === 0 ? "nothing runs" : `version ${effectiveVersion} runs`;
  const because = reason === "" ? "" : `: ${reason}`;
  // The step is of what was deployed, by its content: the version that a host names may be an older one with the
  // same content. Before the step is an end, the state may still be that of an earlier attempt.
  if (step === DeployStep.ROLLED_BACK) {
    return { kind: "failed", text: `went back, ${runs}${because}` };
  }
  if (step === DeployStep.FAILED) return { kind: "failed", text: `failed, ${runs}${because}` };
  if (step === DeployStep.HEALTHY) {
    if (state === ProcessState.CRASHED) return { kind: "failed", text: `crashed${because}` };
    if (state === ProcessState.HELD) return { kind: "failed", text: `holds, ${runs}${because}` };
    if (state === ProcessState.NOT_DELIVERING) {
      return { kind: "failed", text: `runs it and does not deliver${because}` };
    }
  }
  if (status.reachability === NodeReachability.UNREACHABLE) {
    return { kind: "unreachable", text: `is not connected; last known: ${runs}` };
  }
  if (step === DeployStep.HEALTHY && state === ProcessState.RUNNING) {
    return { kind: "healthy", text: "runs it" };
  }
  return { kind: "waiting", text: stepTexts[step] ?? "is starting it" };
}

/** Whether there is nothing left to wait for. */
export function isSettled(hosts: readonly HostOutcome[], skipUnreachable: boolean): boolean {
  return hosts.every(
    ({ kind }) => kind !== "waiting" && (kind !== "unreachable" || skipUnreachable),
  );
}

/** Whether what was waited for came true. */
export function isGood(hosts: readonly HostOutcome[], skipUnreachable: boolean): boolean {
  return hosts.every(
    ({ kind }) => kind === "healthy" || (kind === "unreachable" && skipUnreachable),
  );
}
