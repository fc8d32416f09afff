import { create, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type {
  DesiredState,
  PipelineBody as BodyMessage,
} from "#gen/vectorflow/agent/v1/desired_state_pb.ts";
import {
  ComponentKind,
  PipelineMetricsSchema,
  type PipelineMetrics,
} from "#gen/vectorflow/agent/v1/heartbeat_pb.ts";
import {
  DeploymentMode,
  HostFactsSchema,
  type HostFacts as HostFactsMessage,
} from "#gen/vectorflow/agent/v1/host_pb.ts";
import { LogLevel, LogStream, type LogBatchSchema } from "#gen/vectorflow/agent/v1/log_pb.ts";
import {
  ApplyPhase,
  PipelineReportSchema,
  PipelineState,
  type PipelineReport,
} from "#gen/vectorflow/agent/v1/report_pb.ts";
import type { SpooledBatch } from "../process/log-spool.ts";
import type { ApplyPhase as Phase, PipelineStatus, RunState } from "../process/pipeline-status.ts";
import {
  isUsableId,
  type Manifest,
  type ManifestEntry,
  type PipelineBody,
} from "../reconcile/desired-state.ts";
import type { HostFacts } from "../telemetry/host-facts.ts";
import type { PipelineDeltas } from "../telemetry/scraper.ts";
import { boundedText } from "../text.ts";

const states: Readonly<Record<RunState, PipelineState>> = {
  pending: PipelineState.PENDING,
  starting: PipelineState.STARTING,
  running: PipelineState.RUNNING,
  stopped: PipelineState.STOPPED,
  crashed: PipelineState.CRASHED,
  held: PipelineState.HELD,
  not_delivering: PipelineState.NOT_DELIVERING,
};

const phases: Readonly<Record<Phase, ApplyPhase>> = {
  none: ApplyPhase.UNSPECIFIED,
  received: ApplyPhase.RECEIVED,
  validated: ApplyPhase.VALIDATED,
  applying: ApplyPhase.APPLYING,
  applied: ApplyPhase.APPLIED,
  failed: ApplyPhase.FAILED,
  rolled_back: ApplyPhase.ROLLED_BACK,
  removed: ApplyPhase.REMOVED,
};

export function stateToProto(state: RunState): PipelineState {
  return states[state];
}

export function reportToProto(status: PipelineStatus): PipelineReport {
  const { attempt, effective } = status;
  return create(PipelineReportSchema, {
    pipelineId: status.pipelineId,
    attemptedHash: attempt?.hash ?? "",
    attemptedVersion: attempt?.version ?? 0,
    attempt: attempt?.attempt ?? 0,
    phase: phases[attempt?.phase ?? "none"],
    state: states[status.state],
    effectiveHash: effective?.hash ?? "",
    effectiveVersion: effective?.version ?? 0,
    reason: boundedText(status.reason, 4096),
    problems: (attempt?.problems ?? []).map(({ componentId, field, message }) => ({
      componentId: boundedText(componentId, 256),
      field: boundedText(field, 256),
      message: boundedText(message, 4096),
    })),
    logTail: [...(attempt?.logTail ?? [])],
    time: timestampFromDate(status.at),
    gapMs: attempt?.gapMs ?? 0,
    pid: status.pid,
    restarts: status.restarts,
    notice: boundedText(status.notice, 1024),
    vectorVersion: boundedText(status.vectorVersion, 64),
    ...(status.nextStartAt === undefined
      ? {}
      : { nextStartTime: timestampFromDate(status.nextStartAt) }),
  });
}

const componentKinds = {
  source: ComponentKind.SOURCE,
  transform: ComponentKind.TRANSFORM,
  sink: ComponentKind.SINK,
} as const;

export function metricsToProto(deltas: PipelineDeltas): PipelineMetrics {
  return create(PipelineMetricsSchema, {
    intervalMs: Math.round(deltas.intervalMs),
    components: deltas.components.map((delta) => ({
      componentId: boundedText(delta.componentId, 256),
      kind: componentKinds[delta.kind],
      componentType: boundedText(delta.type, 128),
      receivedEvents: delta.receivedEvents,
      sentEvents: delta.sentEvents,
      receivedBytes: delta.receivedBytes,
      sentBytes: delta.sentBytes,
      discardedIntentional: delta.discardedIntentional,
      discardedUnintentional: delta.discardedUnintentional,
      errors: delta.errors,
      sentEventsByOutput: Object.fromEntries(delta.sentByOutput),
      ...(delta.utilization === undefined ? {} : { utilization: delta.utilization }),
      ...(delta.latencyMeanMs === undefined ? {} : { latencyMeanMs: delta.latencyMeanMs }),
    })),
  });
}

const levels: Readonly<Record<string, LogLevel>> = {
  trace: LogLevel.TRACE,
  debug: LogLevel.DEBUG,
  info: LogLevel.INFO,
  warn: LogLevel.WARN,
  error: LogLevel.ERROR,
};

const streams = {
  stdout: LogStream.STDOUT,
  stderr: LogStream.STDERR,
  agent: LogStream.AGENT,
} as const;

export function batchToProto(
  batch: SpooledBatch,
  spoolId: string,
): MessageInitShape<typeof LogBatchSchema> {
  return {
    sequence: BigInt(batch.sequence),
    spoolId,
    lostLines: BigInt(batch.lost),
    lines: batch.lines.map((line) => ({
      pipelineId: line.pipelineId,
      time: timestampFromDate(line.time),
      level: levels[line.level] ?? LogLevel.INFO,
      stream: streams[line.stream],
      componentId: boundedText(line.componentId, 256),
      text: line.text,
    })),
  };
}

export function factsToProto(facts: HostFacts): HostFactsMessage {
  return create(HostFactsSchema, {
    hostname: boundedText(facts.hostname, 253),
    os: boundedText(facts.os, 100),
    osRelease: boundedText(facts.osRelease, 200),
    agentVersion: facts.agentVersion,
    cpuCount: facts.cpuCount,
    memoryTotalBytes: facts.memoryTotalBytes,
    labels: { ...facts.labels },
    deploymentMode: facts.inContainer ? DeploymentMode.DOCKER : DeploymentMode.STANDALONE,
    ...(facts.policy === undefined
      ? {}
      : { policy: { ...facts.policy, problem: boundedText(facts.policy.problem, 1024) } }),
    vector:
      facts.vector.kind === "found"
        ? {
            version: boundedText(facts.vector.executable.version, 100),
            path: boundedText(facts.vector.executable.path, 4096),
            simulated: facts.vector.executable.simulated,
          }
        : { problem: boundedText(facts.vector.problem, 1024) },
  });
}

/** Longer texts are none that a server makes; they are cut, and cost their pipeline only. */
const maximumNameBytes = 256;

/**
 * The manifest of a message. An entry that cannot be used costs only itself (P12); of two for one pipeline, the
 * first counts.
 */
export function manifestFromProto(state: DesiredState): Manifest {
  const entries = new Map<string, ManifestEntry>();
  for (const entry of state.manifest) {
    const { pipelineId, name, hash, version, attempt } = entry;
    if (!isUsableId(pipelineId) || entries.has(pipelineId)) continue;
    entries.set(pipelineId, {
      pipelineId,
      name: boundedText(name, maximumNameBytes),
      hash: boundedText(hash, maximumNameBytes),
      version,
      attempt,
      limits: {
        memoryBytes: Number(entry.memoryLimitBytes),
        cpuCores: Number.isFinite(entry.cpuLimitCores) ? Math.max(0, entry.cpuLimitCores) : 0,
      },
    });
  }
  return {
    installationId: state.installationId,
    generation: state.generation,
    maintenance: state.maintenance,
    entries: [...entries.values()],
  };
}

export function bodyFromProto(body: BodyMessage): PipelineBody {
  return {
    pipelineId: body.pipelineId,
    hash: boundedText(body.hash, maximumNameBytes),
    configYaml: body.configYaml,
    logLevel: body.logLevel === "" ? "info" : body.logLevel,
    secrets: new Map(Object.entries(body.secrets)),
    certificates: body.certificates.map(({ name, filename, content }) => ({
      name,
      filename,
      content,
    })),
  };
}

/** Reports beyond this go without their details in Hello, and complete after the welcome. */
const helloReportBytes = 1024 * 1024;

/** Names every pipeline, since the server forgets those that are not named, and fits into one message. */
export function helloReports(statuses: readonly PipelineStatus[]): readonly PipelineReport[] {
  let left = helloReportBytes;
  return statuses.map((status) => {
    const report = reportToProto(status);
    left -= toBinary(PipelineReportSchema, report).length;
    if (left >= 0) return report;
    return { ...report, problems: [], logTail: [], reason: boundedText(report.reason, 200) };
  });
}
