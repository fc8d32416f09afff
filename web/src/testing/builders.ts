import {
  create,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";

import { PipelineLiveSchema, type PipelineLive } from "#gen/vectorflow/v1/live_service_pb.ts";
import { LogLevel, LogLineSchema, type LogLine } from "#gen/vectorflow/v1/log_pb.ts";
import { NodeSchema, NodeStatus, type Node } from "#gen/vectorflow/v1/node_pb.ts";
import {
  DeployStep,
  NodePipelineStatusSchema,
  NodeReachability,
  ProblemSchema,
  ProcessState,
  Severity,
  type NodePipelineStatus,
  type Problem,
} from "#gen/vectorflow/v1/pipeline_pb.ts";

import { toTimestamp } from "../lib/time.ts";

/** Some of the fields; a builder fills in the others. */
type Init<D extends DescMessage> = Exclude<MessageInitShape<D>, MessageShape<D>>;

const gib = 1024 ** 3;

export function aHost(init: Init<typeof NodeSchema> = {}): Node {
  const name = init.name ?? "edge-01";
  return create(NodeSchema, {
    id: name,
    name,
    host: `${name}.example.net`,
    environmentId: "env-1",
    status: NodeStatus.HEALTHY,
    lastSeenTime: toTimestamp(Date.now()),
    enrollTime: toTimestamp(Date.now() - 86_400_000),
    agentVersion: "0.1.0",
    vectorVersion: "0.58.0",
    os: "Debian GNU/Linux",
    osRelease: "12",
    cpuCount: 4,
    pipelinesRunning: 1,
    pipelinesTotal: 1,
    usage: {
      time: toTimestamp(Date.now()),
      cpuRatio: 0.12,
      memoryTotalBytes: 8 * gib,
      memoryUsedBytes: 3 * gib,
      diskTotalBytes: 100 * gib,
      diskUsedBytes: 41 * gib,
      load1: 0.4,
    },
    ...init,
  });
}

export function aPipelineLive(init: Init<typeof PipelineLiveSchema> = {}): PipelineLive {
  return create(PipelineLiveSchema, {
    nodesDesired: 1,
    nodesRunning: 1,
    nodesCurrent: 1,
    worstState: ProcessState.RUNNING,
    ...init,
    summary: {
      id: "pipe-1",
      name: "auth-logs",
      environmentId: "env-1",
      deployedVersion: 1,
      updatedBy: "Anna Berg",
      updateTime: toTimestamp(Date.now() - 120_000),
      ...init.summary,
    },
  });
}

export function aStatus(init: Init<typeof NodePipelineStatusSchema> = {}): NodePipelineStatus {
  const now = toTimestamp(Date.now());
  return create(NodePipelineStatusSchema, {
    nodeId: "edge-01",
    nodeName: "edge-01",
    pipelineId: "pipe-1",
    pipelineName: "auth-logs",
    state: ProcessState.RUNNING,
    step: DeployStep.HEALTHY,
    desiredVersion: 1,
    attemptedVersion: 1,
    effectiveVersion: 1,
    uptimeSeconds: 754,
    reachability: NodeReachability.CONNECTED,
    receiveTime: now,
    validateTime: now,
    applyTime: now,
    finishTime: now,
    ...init,
  });
}

export function aProblem(init: Init<typeof ProblemSchema> = {}): Problem {
  return create(ProblemSchema, {
    severity: Severity.ERROR,
    message: "unknown option",
    componentKey: "parse",
    ...init,
  });
}

export function aLogLine(init: Init<typeof LogLineSchema> = {}): LogLine {
  return create(LogLineSchema, {
    id: init.id ?? crypto.randomUUID(),
    time: toTimestamp(Date.now()),
    level: LogLevel.INFO,
    nodeId: "edge-01",
    nodeName: "edge-01",
    pipelineId: "pipe-1",
    text: "Vector has started.",
    ...init,
  });
}
