import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  ComponentKind,
  type ComponentMetrics,
  type Heartbeat,
  type PipelineBeat,
} from "#gen/vectorflow/agent/v1/heartbeat_pb.ts";
import {
  DeploymentMode,
  type HostFacts,
  type HostPolicy,
  type HostMetrics,
} from "#gen/vectorflow/agent/v1/host_pb.ts";
import { LogLevel, type LogBatch } from "#gen/vectorflow/agent/v1/log_pb.ts";
import {
  ApplyPhase,
  PipelineState,
  type PipelineReport,
} from "#gen/vectorflow/agent/v1/report_pb.ts";
import { parsePolicy } from "#common/policy/policy.ts";
import type { ComponentKind as StoredKind, ProcessStatus } from "../db/enums.ts";
import type {
  ComponentRow,
  LogRow,
  NodeMetricRow,
  PipelineBeatRow,
  Rates,
  ReportRow,
} from "../metrics/ingest-rows.ts";
import type { HostFacts as StoredFacts } from "./enrollment.ts";
import { clean, cleanName, finite, momentOf, whole } from "./text.ts";
import type { ReportedPolicy, Usage } from "./vector-node.entity.ts";

/** Whom a message came from. */
export interface Sender {
  readonly nodeId: string;
  readonly environmentId: string;
}

const dayMs = 86_400_000;

function dateOf({ seconds, nanos }: Timestamp): Date | null {
  return momentOf(seconds, nanos);
}

export function factsFromProto(host: HostFacts | undefined): StoredFacts {
  const modes: Partial<Record<DeploymentMode, StoredFacts["deploymentMode"]>> = {
    [DeploymentMode.STANDALONE]: "STANDALONE",
    [DeploymentMode.DOCKER]: "DOCKER",
  };
  const reportedLabels = Object.fromEntries(
    Object.entries(host?.labels ?? {})
      .slice(0, 64)
      .map(([key, value]) => [cleanName(key, 100), cleanName(value, 200)]),
  );
  return {
    hostname: cleanName(host?.hostname || "unnamed", 253),
    os: cleanName(host?.os ?? "", 100),
    agentVersion: cleanName(host?.agentVersion ?? "", 100),
    vectorVersion: cleanName(host?.vector?.version ?? "", 100),
    deploymentMode: modes[host?.deploymentMode ?? 0] ?? "UNKNOWN",
    metadata: {
      osRelease: cleanName(host?.osRelease ?? "", 200),
      simulated: host?.vector?.simulated ?? false,
      cpuCount: whole(host?.cpuCount),
      vectorProblem: clean(host?.vector?.problem ?? "", 500),
      reportedLabels,
    },
    hostPolicy: host?.policy === undefined ? null : policyFromProto(host.policy),
  };
}

const maximumPolicyLength = 65_536;

/** A policy that this server cannot read is shown as such, and judges nothing here. */
function policyFromProto({ path, json, problem }: HostPolicy): ReportedPolicy {
  const told = { path: cleanName(path, 4096), problem: clean(problem, 1000) };
  try {
    if (json.length > maximumPolicyLength) throw new RangeError("the policy is too long");
    const value: unknown = JSON.parse(json, (_key, item: unknown) =>
      typeof item === "string" ? clean(item, 4096) : item,
    );
    const { policy, problems } = parsePolicy(value);
    if (policy !== undefined) return { ...told, policy };
    return {
      ...told,
      policy: null,
      problem: clean(`this server cannot read it: ${problems[0]}`, 1000),
    };
  } catch {
    return { ...told, policy: null, problem: "this server cannot read it" };
  }
}

/** Process state and the condition beside it, as the tables hold them. */
export function stateFromProto(state: PipelineState): {
  status: ProcessStatus;
  condition: string | null;
} {
  switch (state) {
    case PipelineState.STARTING:
      return { status: "STARTING", condition: null };
    case PipelineState.RUNNING:
      return { status: "RUNNING", condition: null };
    case PipelineState.HELD:
      return { status: "RUNNING", condition: "HELD" };
    case PipelineState.NOT_DELIVERING:
      return { status: "RUNNING", condition: "NOT_DELIVERING" };
    case PipelineState.STOPPED:
      return { status: "STOPPED", condition: null };
    case PipelineState.CRASHED:
      return { status: "CRASHED", condition: null };
    default:
      // A state that this server does not know yet is at least not running for sure (A6).
      return { status: "PENDING", condition: null };
  }
}

export function usageFromProto(host: HostMetrics | undefined, at: Date): Usage | undefined {
  if (host === undefined) return undefined;
  const disk = sumDisks(host);
  return {
    time: at.toISOString(),
    cpuRatio: finite(host.cpuRatio) ?? 0,
    memoryTotalBytes: finite(host.memoryTotalBytes) ?? 0,
    memoryUsedBytes: finite(host.memoryTotalBytes - host.memoryAvailableBytes) ?? 0,
    diskTotalBytes: disk.total,
    diskUsedBytes: disk.used,
    load1: finite(host.load1) ?? 0,
  };
}

function sumDisks(host: HostMetrics): { total: number; used: number } {
  return {
    total: sumOf(host.filesystems.map(({ totalBytes }) => totalBytes)),
    used: sumOf(host.filesystems.map(({ usedBytes }) => usedBytes)),
  };
}

/** Finite even when each of a thousand values is next to infinity. */
function sumOf(values: readonly number[]): number {
  return finite(values.reduce((sum, value) => sum + (finite(value) ?? 0), 0)) ?? 0;
}

/** The share of the fullest filesystem that is used. */
export function fullestDisk(host: HostMetrics | undefined): number | undefined {
  const ratios = (host?.filesystems ?? [])
    .filter(({ totalBytes }) => totalBytes > 0)
    .map(({ usedBytes, totalBytes }) => finite(usedBytes / totalBytes) ?? 0);
  return ratios.length === 0 ? undefined : Math.max(...ratios);
}

export function nodeMetricFromProto(
  nodeId: string,
  beat: Heartbeat,
  at: Date,
): NodeMetricRow | undefined {
  const host = beat.hostMetrics;
  if (host === undefined) return undefined;
  const disk = sumDisks(host);
  return {
    nodeId,
    at,
    intervalMs: whole(beat.intervalMs),
    cpuRatio: finite(host.cpuRatio),
    coreRatios: host.coreRatios.slice(0, 1024).map((ratio) => finite(ratio) ?? 0),
    load: [finite(host.load1), finite(host.load5), finite(host.load15)],
    memoryTotalBytes: finite(host.memoryTotalBytes),
    memoryUsedBytes: finite(host.memoryTotalBytes - host.memoryAvailableBytes),
    diskTotalBytes: host.filesystems.length === 0 ? null : disk.total,
    diskUsedBytes: host.filesystems.length === 0 ? null : disk.used,
    filesystems: host.filesystems.slice(0, 64).map((disk) => ({
      mount: cleanName(disk.mount, 300),
      type: cleanName(disk.type, 50),
      totalBytes: finite(disk.totalBytes),
      usedBytes: finite(disk.usedBytes),
    })),
    receivedBytes: sumOf(host.interfaces.map(({ receivedBytes }) => receivedBytes)),
    sentBytes: sumOf(host.interfaces.map(({ sentBytes }) => sentBytes)),
  };
}

export function beatFromProto(sender: Sender, beat: PipelineBeat, at: Date): PipelineBeatRow {
  return {
    ...sender,
    at,
    pipelineId: cleanName(beat.pipelineId, 100),
    ...stateFromProto(beat.state),
    version: beat.effectiveVersion === 0 ? null : whole(beat.effectiveVersion),
    effectiveHash: beat.effectiveHash === "" ? null : cleanName(beat.effectiveHash, 200),
    restarts: whole(beat.restarts),
    uptimeSeconds: finite(beat.uptimeSeconds),
    rates: ratesFromProto(beat),
  };
}

/** In: what sources received. Out: what sinks sent. Events are not counted again at each step (S1). */
function ratesFromProto(beat: PipelineBeat): Rates | null {
  const { metrics } = beat;
  if (metrics === undefined || metrics.intervalMs === 0) return null;
  const { components } = metrics;
  const perSecond = 1000 / metrics.intervalMs;
  const sum = (
    kind: ComponentKind | undefined,
    value: (component: ComponentMetrics) => number,
  ): number =>
    finite(
      sumOf(
        components
          .filter((component) => kind === undefined || component.kind === kind)
          .map((component) => value(component)),
      ) * perSecond,
    ) ?? 0;
  return {
    eventsIn: sum(ComponentKind.SOURCE, (component) => component.receivedEvents),
    eventsOut: sum(ComponentKind.SINK, (component) => component.sentEvents),
    bytesIn: sum(ComponentKind.SOURCE, (component) => component.receivedBytes),
    bytesOut: sum(ComponentKind.SINK, (component) => component.sentBytes),
    errors: sum(undefined, (component) => component.errors),
    discarded: sum(undefined, (component) => component.discardedUnintentional),
  };
}

const storedKinds: Partial<Record<ComponentKind, StoredKind>> = {
  [ComponentKind.SOURCE]: "SOURCE",
  [ComponentKind.TRANSFORM]: "TRANSFORM",
  [ComponentKind.SINK]: "SINK",
};

export function componentsFromProto(sender: Sender, beat: PipelineBeat, at: Date): ComponentRow[] {
  const { metrics } = beat;
  if (metrics === undefined) return [];
  return metrics.components.slice(0, 1000).flatMap((component) => {
    const kind = storedKinds[component.kind];
    if (kind === undefined) return [];
    return {
      ...sender,
      at,
      pipelineId: cleanName(beat.pipelineId, 100),
      componentKey: cleanName(component.componentId, 128),
      kind,
      intervalMs: whole(metrics.intervalMs),
      eventsIn: finite(component.receivedEvents) ?? 0,
      eventsOut: finite(component.sentEvents) ?? 0,
      bytesIn: finite(component.receivedBytes) ?? 0,
      bytesOut: finite(component.sentBytes) ?? 0,
      errors: finite(component.errors) ?? 0,
      discarded: finite(component.discardedUnintentional) ?? 0,
      dropped: finite(component.discardedIntentional) ?? 0,
      utilization: finite(component.utilization),
    };
  });
}

const phases: Partial<Record<ApplyPhase, string>> = {
  [ApplyPhase.RECEIVED]: "RECEIVED",
  [ApplyPhase.VALIDATED]: "VALIDATED",
  [ApplyPhase.APPLYING]: "APPLYING",
  [ApplyPhase.APPLIED]: "APPLIED",
  [ApplyPhase.FAILED]: "FAILED",
  [ApplyPhase.ROLLED_BACK]: "ROLLED_BACK",
};

export function reportFromProto(sender: Sender, report: PipelineReport, at: Date): ReportRow {
  return {
    ...sender,
    at,
    pipelineId: cleanName(report.pipelineId, 100),
    removed: report.phase === ApplyPhase.REMOVED,
    phase: phases[report.phase] ?? "WAITING",
    ...stateFromProto(report.state),
    version: report.effectiveVersion === 0 ? null : whole(report.effectiveVersion),
    effectiveHash: report.effectiveHash === "" ? null : cleanName(report.effectiveHash, 200),
    attemptedVersion: report.attemptedVersion === 0 ? null : whole(report.attemptedVersion),
    attemptedHash: report.attemptedHash === "" ? null : cleanName(report.attemptedHash, 200),
    attempt: whole(report.attempt),
    reason: report.reason === "" ? null : clean(report.reason, 4000),
    problems: report.problems.slice(0, 50).map((problem) => ({
      componentKey: cleanName(problem.componentId, 128),
      field: cleanName(problem.field, 300),
      message: clean(problem.message, 2000),
    })),
    logTail: report.logTail.slice(-50).map((line) => clean(line, 2000)),
    pid: report.pid === 0 ? null : whole(report.pid),
    restarts: whole(report.restarts),
    gapMs: whole(report.gapMs),
    nextStartAt: report.nextStartTime === undefined ? null : dateOf(report.nextStartTime),
    notice: report.notice === "" ? null : clean(report.notice, 1000),
    vectorVersion: report.vectorVersion === "" ? null : clean(report.vectorVersion, 60),
  };
}

const levels: Partial<Record<LogLevel, string>> = {
  [LogLevel.TRACE]: "TRACE",
  [LogLevel.DEBUG]: "DEBUG",
  [LogLevel.WARN]: "WARN",
  [LogLevel.ERROR]: "ERROR",
};

/** A line's own time counts unless the host's clock is far off: a day back, an hour ahead. */
export function logsFromProto(sender: Sender, batch: LogBatch, now: Date): LogRow[] {
  const place = `${cleanName(batch.spoolId, 40)}-${batch.sequence.toString(36).padStart(9, "0")}`;
  return batch.lines.map((line, index) => {
    const written = (line.time && dateOf(line.time)) ?? now;
    const offset = written.getTime() - now.getTime();
    return {
      ...sender,
      id: `${place}-${index.toString(36).padStart(3, "0")}`,
      pipelineId: cleanName(line.pipelineId, 100),
      at: offset > -dayMs && offset < 3_600_000 ? written : now,
      level: levels[line.level] ?? "INFO",
      componentKey: line.componentId === "" ? null : cleanName(line.componentId, 128),
      message: clean(line.text, 16_384),
    };
  });
}
