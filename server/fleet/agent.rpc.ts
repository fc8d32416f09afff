import { create, fromBinary, toBinary, type DescMessage, type Message } from "@bufbuild/protobuf";
import {
  status,
  type MethodDefinition,
  type ServerUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
  type sendUnaryData,
} from "@grpc/grpc-js";
import {
  AgentService,
  EnrollResponseSchema,
  SessionResponseSchema,
  type EnrollRequest,
  type EnrollResponse,
  type SessionRequest,
} from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import { RateLimiter } from "../auth/rate-limiter.ts";
import { hashToken } from "../auth/tokens.ts";
import type { ServerDeps } from "../deps.ts";
import { DomainError, type ErrorKind } from "../errors.ts";
import { dispatchWaiting, keepSample } from "../sampling/dispatch-sample.ts";
import { askForSchema, keepSchema } from "../schemas/ask-for-schema.ts";
import type { Scope } from "../scope.ts";
import { factsFromProto } from "./agent-proto.ts";
import { sharedEncoder } from "./desired-state-proto.ts";
import { AgentSession, logCreditLines, type AgentCall, type SessionDeps } from "./agent-session.ts";
import { enroll } from "./enrollment.ts";
import { fenceOf, recordFacts, recordFence, recordHello } from "./host-records.ts";
import { SendPace } from "./send-pace.ts";
import { claimSession, releaseSession } from "./session-claim.ts";
import { heartbeatInterval } from "./liveness.ts";
import { counter } from "./text.ts";
import { VectorNode } from "./vector-node.entity.ts";

const helloTimeoutMs = 10_000;
/** A well-behaved agent sends a handful of messages a second. */
const messagesPerSecond = 500;

/** Largest message that either side takes. */
export const maximumMessageBytes = 4 * 1024 * 1024;

const codes = {
  not_found: status.NOT_FOUND,
  conflict: status.ALREADY_EXISTS,
  invalid: status.INVALID_ARGUMENT,
  forbidden: status.PERMISSION_DENIED,
  unauthenticated: status.UNAUTHENTICATED,
  stale: status.ABORTED,
  precondition: status.FAILED_PRECONDITION,
  unavailable: status.UNAVAILABLE,
  exhausted: status.RESOURCE_EXHAUSTED,
} satisfies Record<ErrorKind, status>;

/** The agent plane's service for @grpc/grpc-js, with protobuf-es on the wire. */
export const agentServiceDefinition: ServiceDefinition = Object.fromEntries(
  AgentService.methods.map((method): [string, MethodDefinition<Message, Message | Buffer>] => [
    method.localName,
    {
      path: `/${AgentService.typeName}/${method.name}`,
      requestStream: isStream(method),
      responseStream: isStream(method),
      requestSerialize: (message) => Buffer.from(toBinary(method.input, message as never)),
      requestDeserialize: (bytes) => readMessage(method.input, bytes, isStream(method)),
      // Messages for many agents come as bytes that were made once.
      responseSerialize: (message) =>
        Buffer.isBuffer(message) ? message : Buffer.from(toBinary(method.output, message as never)),
      responseDeserialize: (bytes) => fromBinary<DescMessage>(method.output, bytes),
    },
  ]),
);

function isStream(method: { readonly methodKind: string }): boolean {
  return method.methodKind === "bidi_streaming";
}

/**
 * In a stream, a message that cannot be read costs itself and not the session: it is taken for an empty one,
 * which is ignored like a kind of a newer agent (P12).
 */
function readMessage(schema: DescMessage, bytes: Buffer, isItem: boolean): Message {
  try {
    return fromBinary(schema, bytes);
  } catch (error) {
    if (!isItem) throw error;
    return create(schema);
  }
}

/** Implements the agent plane over the hub and the ingest. */
export function agentRpc(deps: ServerDeps, installationId: string): UntypedServiceImplementation {
  const { background } = deps;
  const refusals = new RateLimiter(deps.clock, 1, 1);
  const clones = new RateLimiter(deps.clock, 1, 1);
  const session: SessionDeps = {
    ...deps,
    encode: sharedEncoder(installationId),
    pace: new SendPace(),
    keepSample: (answer) => void background.track(keepSample(deps, answer)),
    keepSchema: (version, answer) => void background.track(keepSchema(deps, version, answer)),
  };
  return {
    enroll: (
      call: ServerUnaryCall<EnrollRequest, EnrollResponse>,
      done: sendUnaryData<EnrollResponse>,
    ) => {
      answerEnroll(deps, refusals, installationId, call).then(
        (response) => done(null, response),
        (error: unknown) => done(toStatus(deps, error)),
      );
    },
    session: (call: AgentCall) => {
      beginSession(deps, session, clones, installationId, call).catch((error: unknown) => {
        call.emit("error", toStatus(deps, error));
      });
    },
  };
}

function toStatus(deps: ServerDeps, error: unknown): { code: status; details: string } {
  if (error instanceof DomainError) return { code: codes[error.kind], details: error.message };
  deps.log.error("agent call failed", { error });
  return { code: status.UNAVAILABLE, details: "the server could not answer; try again later" };
}

/** `ipv4:1.2.3.4:5678` or `[::1]:5678` without its port. */
function addressOf(peer: string): string {
  return peer
    .replace(/^ipv[46]:/, "")
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "");
}

function nodeScope(deps: ServerDeps, peer: string): Scope {
  return {
    em: deps.orm.em.fork(),
    clock: deps.clock,
    log: deps.log,
    signal: deps.signal,
    actor: {
      kind: "anonymous",
      ipAddress: addressOf(peer),
    },
  };
}

async function answerEnroll(
  deps: ServerDeps,
  refusals: RateLimiter,
  installationId: string,
  call: ServerUnaryCall<EnrollRequest, EnrollResponse>,
): Promise<EnrollResponse> {
  const { enrollmentToken, machineId, host } = call.request;
  const enrollment = await enroll(nodeScope(deps, call.getPeer()), refusals, {
    enrollmentToken,
    machineId,
    host: factsFromProto(host),
  });
  deps.log.info("node enrolled", { nodeId: enrollment.nodeId });
  return create(EnrollResponseSchema, { installationId, ...enrollment });
}

async function beginSession(
  deps: ServerDeps,
  sessionDeps: SessionDeps,
  clones: RateLimiter,
  installationId: string,
  call: AgentCall,
): Promise<void> {
  const hello = firstMessage(call);
  // A rejection is handled below, once the token is known to be good.
  hello.catch(() => {});
  const [authorization] = call.metadata.get("authorization");
  const token = /^Bearer (vfn_\S+)$/.exec(String(authorization ?? ""))?.[1];
  const node =
    token === undefined
      ? null
      : await deps.orm.em.fork().findOne(VectorNode, { nodeTokenHash: hashToken(token) });
  if (node === null) {
    throw new DomainError(
      "unauthenticated",
      "node_token_unknown",
      "the node token is not valid: the node was removed or enrolled again; enroll this host anew",
    );
  }
  const first = await hello;
  if (first.message.case !== "hello") {
    throw new DomainError(
      "invalid",
      "hello_expected",
      "the first message of a session must be Hello",
    );
  }
  const greeting = first.message.value;
  const intervalMs = heartbeatInterval(deps.config.heartbeatIntervalMs, deps.fleetSize());
  const sessionId = crypto.randomUUID();
  const { machineId, hostBootId, host } = greeting;
  const claim = { sessionId, machineId, hostBootId, hostname: host?.hostname ?? "" };
  await claimSession(nodeScope(deps, call.getPeer()), clones, node, claim, intervalMs);
  const { generation, highestGeneration } = await recordHello(deps, node, greeting, installationId);
  const sender = { nodeId: node.id, environmentId: node.environmentId };
  const session = new AgentSession(sender, call, sessionDeps, {
    held: greeting.heldHashes,
    vectorProblem: greeting.host?.vector?.problem ?? "",
    generation,
    highestGeneration,
    intervalMs,
    capabilities: greeting.capabilities,
  });
  call.write(
    create(SessionResponseSchema, {
      message: {
        case: "welcome",
        value: {
          installationId,
          nodeId: node.id,
          heartbeatIntervalMs: intervalMs,
          sessionId,
          generation: BigInt(generation),
          limits: {
            maxMessageBytes: maximumMessageBytes,
            logCreditLines,
            maxLogLineBytes: 16384,
          },
        },
      },
    }),
  );
  deps.metrics.messages.inc({ direction: "out", kind: "welcome" });
  deps.hub.add(session);
  deps.metrics.sessions.set(deps.hub.size);
  let left = false;
  const leave = (): void => {
    if (left) return;
    left = true;
    deps.background
      .track(releaseSession(deps.orm.em.fork(), node.id, sessionId))
      .catch((error: unknown) =>
        deps.log.error("cannot release a session", { nodeId: node.id, error }),
      );
    deps.hub.remove(session);
    session.inspection.end("the host has lost its connection to the server");
    session.checks.end("the host has lost its connection to the server");
    deps.metrics.sessions.set(deps.hub.size);
  };
  call.on("error", leave);
  call.on("close", leave);
  call.on("cancelled", leave);
  call.on("end", () => {
    leave();
    call.end();
  });
  for (const report of greeting.reports.slice(0, 500)) session.report(report);
  receive(deps, installationId, call, session, node);
  void deps.background.track(askForSchema(deps, session, greeting.host));
  void deps.background.track(dispatchWaiting(deps, node.id));
  await deps.hub.offerTo(session);
}

function firstMessage(call: AgentCall): Promise<SessionRequest> {
  const { promise, resolve, reject } = Promise.withResolvers<SessionRequest>();
  const timer = setTimeout(() => {
    reject(new DomainError("invalid", "hello_missing", "no Hello came within 10 seconds"));
  }, helloTimeoutMs);
  const settle = (work: () => void) => (): void => {
    clearTimeout(timer);
    work();
  };
  call.once("data", (message: SessionRequest) => {
    // Nothing more is read until the session is set up.
    call.pause();
    settle(() => resolve(message))();
  });
  call.once(
    "close",
    settle(() => reject(new DomainError("invalid", "hello_missing", "the call ended"))),
  );
  call.once(
    "error",
    settle(() => reject(new DomainError("invalid", "hello_missing", "the call failed"))),
  );
  return promise;
}

function receive(
  deps: ServerDeps,
  installationId: string,
  call: AgentCall,
  session: AgentSession,
  node: VectorNode,
): void {
  let windowStart = 0;
  let inWindow = 0;
  call.on("data", (request: SessionRequest) => {
    const now = performance.now();
    if (now - windowStart > 1000) {
      windowStart = now;
      inWindow = 0;
    }
    inWindow += 1;
    if (inWindow === messagesPerSecond) {
      // The transport's own flow control slows this agent, and no other.
      call.pause();
      setTimeout(() => call.resume(), 1000).unref();
    }
    const { message } = request;
    deps.metrics.messages.inc({ direction: "in", kind: message.case ?? "unknown" });
    try {
      switch (message.case) {
        case "heartbeat":
          session.heartbeat(message.value);
          if (message.value.host !== undefined) {
            session.vectorProblem = message.value.host.vector?.problem ?? "";
            void deps.background.track(recordFacts(deps, node.id, message.value.host));
            void deps.background.track(askForSchema(deps, session, message.value.host));
          }
          break;
        case "pipelineReport":
          session.report(message.value);
          break;
        case "logBatch":
          session.logs(message.value);
          break;
        case "lacking":
          if (!session.forgetHeld(message.value.pipelineIds)) break;
          void deps.hub
            .offerTo(session)
            .catch((error: unknown) =>
              deps.log.error("cannot send a configuration again", { nodeId: node.id, error }),
            );
          break;
        case "fenced":
          session.highestGeneration = fenceOf(message.value, installationId);
          if (session.fenced) {
            const highest = counter(message.value.highestGeneration);
            void deps.background.track(recordFence(deps, node.id, highest));
          }
          break;
        case "checkResult":
          session.checks.receive(message.value);
          break;
        case "componentSchema":
        case "sampleResult":
        case "commandResult":
        case "tapEvents":
        case "terminalOutput":
          session.inspection.receive(message);
          break;
        default:
          // Answers to what this server never asks for, and kinds that it does not know (A6).
          break;
      }
    } catch (error) {
      deps.log.error("a message of an agent could not be used", { nodeId: node.id, error });
    }
  });
  call.resume();
}
