import { create, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { status, type ServerDuplexStream, type ServiceError } from "@grpc/grpc-js";
import { SessionResponseSchema } from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import type { SessionRequest, SessionResponse } from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import type { Heartbeat } from "#gen/vectorflow/agent/v1/heartbeat_pb.ts";
import type { LogBatch } from "#gen/vectorflow/agent/v1/log_pb.ts";
import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";
import type { ServerMetrics } from "../health/server-metrics.ts";
import type { Ingest } from "../metrics/ingest.ts";
import type { HubSession } from "./agent-hub.ts";
import {
  beatFromProto,
  componentsFromProto,
  fullestDisk,
  logsFromProto,
  nodeMetricFromProto,
  reportFromProto,
  usageFromProto,
  type Sender,
} from "./agent-proto.ts";
import {
  pipelinesFor,
  type DesiredPipeline,
  type EnvironmentState,
  type NodeState,
} from "./desired-state.ts";
import { assessNode, type NodeCondition } from "./liveness.ts";

export type AgentCall = ServerDuplexStream<SessionRequest, SessionResponse | Buffer>;

/** Bytes for all agents that lack the same bodies. */
export type StateEncoder = (
  environment: EnvironmentState,
  node: NodeState,
  missing: readonly DesiredPipeline[],
) => readonly Buffer[];

export interface SessionDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly ingest: Ingest;
  readonly metrics: ServerMetrics;
  readonly encode: StateEncoder;
}

/** What the agent may have under way without an ack. */
export const logCreditLines = 2000;

/**
 * One connected agent. It only translates and passes on; everything that must survive is in the database.
 *
 * 1. `held` follows what the agent said it holds and what was sent since: bodies go out once (P1).
 * 2. Only the newest state is kept while the agent reads slowly; a slow agent costs one state, not a queue.
 */
export class AgentSession implements HubSession {
  readonly nodeId: string;
  readonly environmentId: string;
  readonly #call: AgentCall;
  readonly #deps: SessionDeps;
  readonly #held: Map<string, string>;
  readonly #sender: Sender;
  #pipelineNames = new Map<string, string>();
  #waiting: { readonly environment: EnvironmentState; readonly node: NodeState } | undefined;
  #sent = "";
  #vectorProblem: string;
  #fenced: boolean;
  #intervalMs: number;
  #ended = false;

  constructor(
    sender: Sender,
    call: AgentCall,
    deps: SessionDeps,
    start: {
      readonly held: Readonly<Record<string, string>>;
      readonly vectorProblem: string;
      readonly fenced: boolean;
      readonly intervalMs: number;
    },
  ) {
    this.nodeId = sender.nodeId;
    this.environmentId = sender.environmentId;
    this.#sender = sender;
    this.#call = call;
    this.#deps = deps;
    this.#held = new Map(Object.entries(start.held));
    this.#vectorProblem = start.vectorProblem;
    this.#fenced = start.fenced;
    this.#intervalMs = start.intervalMs;
  }

  get fenced(): boolean {
    return this.#fenced;
  }

  set fenced(fenced: boolean) {
    this.#fenced = fenced;
  }

  set vectorProblem(problem: string) {
    this.#vectorProblem = problem;
  }

  offer(environment: EnvironmentState, node: NodeState): void {
    this.#waiting = { environment, node };
    if (!this.#call.writableNeedDrain) this.sendWaiting();
  }

  /** Called when the agent has read on. */
  sendWaiting(): void {
    const state = this.#waiting;
    if (state === undefined || this.#ended) return;
    this.#waiting = undefined;
    const { environment, node } = state;
    const wanted = pipelinesFor(environment, node);
    this.#pipelineNames = new Map(wanted.map(({ pipelineId, name }) => [pipelineId, name]));
    const digest = JSON.stringify([
      environment.generation + node.generation,
      node.maintenance,
      ...wanted.map(({ pipelineId, hash, version, attempt }) => [
        pipelineId,
        hash,
        version,
        attempt,
      ]),
    ]);
    if (digest === this.#sent) return;
    this.#sent = digest;
    const missing = wanted.filter(
      ({ pipelineId, hash, complete }) => complete && this.#held.get(pipelineId) !== hash,
    );
    const own = { ...environment, pipelines: wanted };
    for (const bytes of this.#deps.encode(own, node, missing)) this.#call.write(bytes);
    for (const { pipelineId, hash } of missing) this.#held.set(pipelineId, hash);
    // An agent forgets the bodies of what it no longer runs.
    const listed = new Set(wanted.map(({ pipelineId }) => pipelineId));
    for (const pipelineId of this.#held.keys()) {
      if (!listed.has(pipelineId)) this.#held.delete(pipelineId);
    }
    this.#deps.metrics.messages.inc({ direction: "out", kind: "desiredState" });
  }

  end(reason: "replaced" | "revoked" | "shutdown"): void {
    if (this.#ended) return;
    this.#ended = true;
    const codes = {
      replaced: { code: status.ABORTED, details: "another session of this node has begun" },
      revoked: { code: status.UNAUTHENTICATED, details: "the node token is not valid any more" },
      shutdown: { code: status.UNAVAILABLE, details: "the server is shutting down" },
    };
    this.#call.emit("error", codes[reason] as ServiceError);
  }

  setHeartbeatInterval(intervalMs: number): void {
    // A small change is not worth a message to the whole fleet.
    if (Math.abs(intervalMs - this.#intervalMs) < this.#intervalMs / 4) return;
    this.#intervalMs = intervalMs;
    this.#send({ case: "throttle", value: { retryAfterMs: 0, heartbeatIntervalMs: intervalMs } });
  }

  #send(message: MessageInitShape<typeof SessionResponseSchema>["message"]): void {
    if (this.#ended) return;
    const response = create(SessionResponseSchema, message === undefined ? {} : { message });
    this.#call.write(Buffer.from(toBinary(SessionResponseSchema, response)));
    this.#deps.metrics.messages.inc({ direction: "out", kind: response.message.case ?? "none" });
  }

  heartbeat(beat: Heartbeat): void {
    const at = this.#deps.clock.now();
    const host = beat.hostMetrics;
    const usage = usageFromProto(host, at);
    const condition: NodeCondition = {
      vectorProblem: this.#vectorProblem,
      fenced: this.#fenced,
      lostLogLines: Number(beat.lostLogLines),
      diskUsedRatio: fullestDisk(host),
      memoryUsedRatio:
        usage === undefined || usage.memoryTotalBytes === 0
          ? undefined
          : usage.memoryUsedBytes / usage.memoryTotalBytes,
      pipelines: [],
    };
    const pipelines = beat.pipelines.slice(0, 500);
    const rows = pipelines.map((pipeline) => beatFromProto(this.#sender, pipeline, at));
    const states = rows.map((row) => ({
      name: this.#pipelineNames.get(row.pipelineId) ?? "a pipeline",
      state: conditionOf(row.status, row.condition),
    }));
    const { status: health, reasons } = assessNode({ ...condition, pipelines: states });
    this.#deps.ingest.addBeat({
      node: {
        nodeId: this.nodeId,
        at,
        status: health as "HEALTHY" | "DEGRADED",
        reasons,
        usage,
        lostLogLines: Number(beat.lostLogLines),
      },
      metric: nodeMetricFromProto(this.nodeId, beat, at),
      pipelines: rows,
      components: pipelines.flatMap((pipeline) => componentsFromProto(this.#sender, pipeline, at)),
    });
  }

  report(report: Parameters<typeof reportFromProto>[1]): void {
    this.#deps.ingest.addReports([reportFromProto(this.#sender, report, this.#deps.clock.now())]);
  }

  logs(batch: LogBatch): void {
    const rows = logsFromProto(this.#sender, batch, this.#deps.clock.now());
    this.#deps.ingest.addLogs(rows, () => {
      this.#send({
        case: "logAck",
        value: { sequence: batch.sequence, creditLines: logCreditLines },
      });
    });
  }
}

function conditionOf(
  processStatus: string,
  condition: string | null,
): NodeCondition["pipelines"][number]["state"] {
  if (condition === "HELD") return "held";
  if (condition === "NOT_DELIVERING") return "not_delivering";
  if (processStatus === "CRASHED") return "crashed";
  if (processStatus === "RUNNING") return "running";
  return processStatus === "PENDING" ? "pending" : "other";
}
