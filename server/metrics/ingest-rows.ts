import type { ComponentKind, ProcessStatus } from "../db/enums.ts";
import type { ReportedProblem } from "../fleet/node-pipeline-status.entity.ts";
import type { Usage } from "../fleet/vector-node.entity.ts";

/** What one heartbeat changes on its node. */
export interface NodeRow {
  readonly nodeId: string;
  readonly at: Date;
  readonly status: "HEALTHY" | "DEGRADED";
  readonly reasons: readonly string[];
  readonly usage: Usage | undefined;
  readonly lostLogLines: number;
}

/** One row of NodeMetric. */
export interface NodeMetricRow {
  readonly nodeId: string;
  readonly at: Date;
  readonly intervalMs: number;
  readonly cpuRatio: number | null;
  readonly coreRatios: readonly number[];
  readonly load: readonly [number | null, number | null, number | null];
  readonly memoryTotalBytes: number | null;
  readonly memoryUsedBytes: number | null;
  readonly diskTotalBytes: number | null;
  readonly diskUsedBytes: number | null;
  readonly filesystems: readonly unknown[];
  readonly receivedBytes: number | null;
  readonly sentBytes: number | null;
}

/** Rates per second of one pipeline on one node over its newest interval. */
export interface Rates {
  readonly eventsIn: number;
  readonly eventsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly errors: number;
  readonly discarded: number;
}

/** What one heartbeat says of one pipeline. */
export interface PipelineBeatRow {
  readonly nodeId: string;
  readonly environmentId: string;
  readonly pipelineId: string;
  readonly at: Date;
  readonly status: ProcessStatus;
  readonly condition: string | null;
  readonly version: number | null;
  readonly effectiveHash: string | null;
  readonly restarts: number;
  readonly uptimeSeconds: number | null;
  /** Null: not measured, a gap. */
  readonly rates: Rates | null;
}

/** One row of PipelineMetric. */
export interface ComponentRow {
  readonly nodeId: string;
  readonly environmentId: string;
  readonly pipelineId: string;
  readonly at: Date;
  readonly componentKey: string;
  readonly kind: ComponentKind;
  readonly intervalMs: number;
  readonly eventsIn: number;
  readonly eventsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly errors: number;
  readonly discarded: number;
  readonly dropped: number;
  readonly utilization: number | null;
}

/** One report of a change of phase or state. */
export interface ReportRow {
  readonly nodeId: string;
  readonly environmentId: string;
  readonly pipelineId: string;
  readonly at: Date;
  readonly removed: boolean;
  readonly phase: string;
  readonly status: ProcessStatus;
  readonly condition: string | null;
  readonly version: number | null;
  readonly effectiveHash: string | null;
  readonly attemptedVersion: number | null;
  readonly attemptedHash: string | null;
  readonly attempt: number;
  readonly reason: string | null;
  readonly problems: readonly ReportedProblem[];
  readonly logTail: readonly string[];
  readonly pid: number | null;
  readonly restarts: number;
  readonly gapMs: number;
  readonly nextStartAt: Date | null;
  readonly notice: string | null;
  readonly vectorVersion: string | null;
}

/** One log line. */
export interface LogRow {
  readonly id: string;
  readonly nodeId: string;
  readonly environmentId: string;
  readonly pipelineId: string;
  readonly at: Date;
  readonly level: string;
  readonly componentKey: string | null;
  readonly message: string;
}
