import { create, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { status, type ServerDuplexStream, type ServiceError } from "@grpc/grpc-js";
import { SessionResponseSchema } from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import type { SessionRequest, SessionResponse } from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import type { Heartbeat } from "#gen/vectorflow/agent/v1/heartbeat_pb.ts";
import type { LogBatch } from "#gen/vectorflow/agent/v1/log_pb.ts";
import { Capability } from "#gen/vectorflow/agent/v1/session_pb.ts";
import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";
import type { ServerMetrics } from "../health/server-metrics.ts";
import type { Ingest } from "../metrics/ingest.ts";
import type { SampledComponent } from "../sampling/samples.ts";
import { AgentChecks } from "./agent-checks.ts";
import type { HubSession } from "./agent-hub.ts";
import { AgentInspection } from "./agent-inspection.ts";
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
import type { SendPace } from "./send-pace.ts";
import { clean, counter, whole } from "./text.ts";
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
  readonly pace: SendPace;
  /** Keeps what a host answered to a request for a sample. */
  keepSample(answer: {
    readonly requestId: string;
    readonly nodeId: string;
    readonly error: string | null;
    readonly components: readonly SampledComponent[];
  }): void;
  /** Keeps a component schema, or why there is none. */
  keepSchema(vectorVersion: string, answer: Uint8Array | string): void;
}

const lackingEveryMs = 5_000;
/** The most pipelines of which one message may say that their bodies are missing. */
const maximumLacking = 500;

/** How long people are told that another machine wanted to be a node. */
const rivalShownMs = 10 * 60_000;

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
  readonly inspection: AgentInspection;
  readonly checks: AgentChecks;
  /** What the agent said it can do. */
  readonly capabilities: readonly Capability[];
  readonly #call: AgentCall;
  readonly #deps: SessionDeps;
  readonly #held: Map<string, string>;
  readonly #sender: Sender;
  #pipelineNames = new Map<string, string>();
  #waiting: { readonly environment: EnvironmentState; readonly node: NodeState } | undefined;
  /** Parts of a state that the transport has not taken yet: it stops when the agent reads slowly. */
  #partsUnread = 0;
  #sent = "";
  #vectorProblem: string;
  /** Of the newest state that the agent was told. */
  #generation: number;
  #highestGeneration: number;
  #intervalMs: number;
  #ended = false;
  #forgotAt = -Infinity;
  #rival: { readonly name: string; readonly until: Date } | undefined;

  constructor(
    sender: Sender,
    call: AgentCall,
    deps: SessionDeps,
    start: {
      readonly held: Readonly<Record<string, string>>;
      readonly vectorProblem: string;
      readonly generation: number;
      /** The highest that the agent has accepted; infinite when that was another installation's. */
      readonly highestGeneration: number;
      readonly intervalMs: number;
      readonly capabilities: readonly Capability[];
    },
  ) {
    this.nodeId = sender.nodeId;
    this.environmentId = sender.environmentId;
    this.#sender = sender;
    this.#call = call;
    this.#deps = deps;
    this.#held = new Map(Object.entries(start.held));
    this.#vectorProblem = clean(start.vectorProblem, 500);
    this.#generation = start.generation;
    this.#highestGeneration = start.highestGeneration;
    this.#intervalMs = start.intervalMs;
    this.capabilities = start.capabilities;
    this.inspection = new AgentInspection({
      send: (order) => this.#send(order),
      onSample: (requestId, error, components) =>
        deps.keepSample({ requestId, nodeId: this.nodeId, error, components }),
      onSchema: (vectorVersion, answer) => deps.keepSchema(vectorVersion, answer),
    });
    this.checks = new AgentChecks({
      send: (order) => this.#send(order),
      sendBytes: (bytes, isWanted) => {
        deps.pace.pace(bytes.length, (done) => {
          if (this.#ended || !isWanted()) return done();
          deps.metrics.messages.inc({ direction: "out", kind: "checkConfig" });
          this.#call.write(bytes, done);
          return undefined;
        });
      },
    });
  }

  /** One that ignores this server is not trusted with secrets that it may have no use for. */
  get canCheck(): boolean {
    return this.capabilities.includes(Capability.CHECK_CONFIG) && !this.fenced;
  }

  /** The agent ignores this server's state, until a person confirms it, which raises the generation (P10). */
  get fenced(): boolean {
    return this.#generation < this.#highestGeneration;
  }

  set highestGeneration(generation: number) {
    this.#highestGeneration = generation;
  }

  set vectorProblem(problem: string) {
    this.#vectorProblem = clean(problem, 500);
  }

  offer(environment: EnvironmentState, node: NodeState): void {
    this.#waiting = { environment, node };
    this.#sendWaiting();
  }

  /** Sends the newest state, unless parts of the one before still wait for the agent to read. */
  #sendWaiting(): void {
    const state = this.#waiting;
    if (state === undefined || this.#ended || this.#partsUnread > 0) return;
    this.#waiting = undefined;
    const { environment, node } = state;
    const wanted = pipelinesFor(environment, node);
    this.#pipelineNames = new Map(wanted.map(({ pipelineId, name }) => [pipelineId, name]));
    this.#generation = environment.generation + node.generation;
    const digest = JSON.stringify([
      this.#generation,
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
    this.#sendParts(this.#deps.encode(own, node, missing));
    for (const { pipelineId, hash } of missing) this.#held.set(pipelineId, hash);
    // An agent forgets the bodies of what it no longer runs.
    const listed = new Set(wanted.map(({ pipelineId }) => pipelineId));
    for (const pipelineId of this.#held.keys()) {
      if (!listed.has(pipelineId)) this.#held.delete(pipelineId);
    }
    this.#deps.metrics.messages.inc({ direction: "out", kind: "desiredState" });
  }

  #sendParts(parts: readonly Buffer[]): void {
    this.#partsUnread += parts.length;
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    this.#deps.pace.pace(bytes, (done) => {
      if (this.#ended) done();
      else {
        for (const part of parts) {
          this.#call.write(part, () => {
            this.#partsUnread -= 1;
            if (this.#partsUnread === 0) done();
            this.#sendWaiting();
          });
        }
      }
    });
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

  /**
   * The agent does not have these bodies, whatever was sent: the next state brings them. False when it said so a
   * moment ago, and is not listened to.
   */
  forgetHeld(pipelineIds: readonly string[]): boolean {
    const now = this.#deps.clock.now().getTime();
    if (now - this.#forgotAt < lackingEveryMs) return false;
    this.#forgotAt = now;
    for (const id of pipelineIds.slice(0, maximumLacking)) this.#held.delete(id);
    this.#sent = "";
    return true;
  }

  noteRival(rival: string): void {
    const until = new Date(this.#deps.clock.now().getTime() + rivalShownMs);
    this.#rival = { name: rival, until };
  }

  heartbeat(beat: Heartbeat): void {
    const at = this.#deps.clock.now();
    const host = beat.hostMetrics;
    const usage = usageFromProto(host, at);
    const condition: NodeCondition = {
      vectorProblem: this.#vectorProblem,
      fenced: this.fenced,
      rival: this.#rival !== undefined && this.#rival.until > at ? this.#rival.name : "",
      lostLogLines: counter(beat.lostLogLines),
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
        lostLogLines: whole(Number(beat.lostLogLines)),
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
