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
import { Capability, type Hello } from "#gen/vectorflow/agent/v1/session_pb.ts";
import { RateLimiter } from "../auth/rate-limiter.ts";
import { hashToken } from "../auth/tokens.ts";
import type { ServerDeps } from "../deps.ts";
import { DomainError, type ErrorKind } from "../errors.ts";
import { dispatchWaiting, keepSample } from "../sampling/dispatch-sample.ts";
import { askForSchema, keepSchema } from "../schemas/ask-for-schema.ts";
import type { Scope } from "../scope.ts";
import { desiredStateMessages, factsFromProto } from "./agent-proto.ts";
import {
  AgentSession,
  logCreditLines,
  type AgentCall,
  type SessionDeps,
  type StateEncoder,
} from "./agent-session.ts";
import { enroll } from "./enrollment.ts";
import { claimSession, releaseSession } from "./session-claim.ts";
import { heartbeatInterval } from "./liveness.ts";
import { cleanName, counter } from "./text.ts";
import { VectorNode } from "./vector-node.entity.ts";

const protocolVersion = 1;
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
  const refusals = new RateLimiter(deps.clock, 1, 1);
  const clones = new RateLimiter(deps.clock, 1, 1);
  const session: SessionDeps = {
    ...deps,
    encode: sharedEncoder(installationId),
    keepSample: (answer) => void keepSample(deps, answer),
    keepSchema: (version, answer) => void keepSchema(deps, version, answer),
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

/** Keeps the newest few encodings: at a deploy, all agents of an environment lack the same body. */
function sharedEncoder(installationId: string): StateEncoder {
  const cache = new Map<string, Buffer[]>();
  return (environment, node, missing) => {
    const key = JSON.stringify([
      environment.environmentId,
      environment.generation,
      node.generation,
      node.maintenance,
      environment.pipelines.map(({ pipelineId }) => pipelineId),
      ...missing.map(({ hash }) => hash),
    ]);
    const known = cache.get(key);
    if (known !== undefined) return known;
    const bytes = desiredStateMessages(installationId, environment, node, missing);
    cache.set(key, bytes);
    if (cache.size > 32) {
      const oldest = cache.keys().next().value;
      if (oldest !== undefined) cache.delete(oldest);
    }
    return bytes;
  };
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
    releaseSession(deps.orm.em.fork(), node.id, sessionId).catch((error: unknown) =>
      deps.log.error("cannot release a session", { nodeId: node.id, error }),
    );
    deps.hub.remove(session);
    session.inspection.end("the host has lost its connection to the server");
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
  void askForSchema(deps, session, greeting.host);
  void dispatchWaiting(deps, node.id);
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

/** Writes what Hello says of the node. Returns its generation, and the highest that the agent has accepted (P10). */
async function recordHello(
  deps: ServerDeps,
  node: VectorNode,
  hello: Hello,
  installationId: string,
): Promise<{ generation: number; highestGeneration: number }> {
  const { metadata, hostname, ...facts } = factsFromProto(hello.host);
  const em = deps.orm.em.fork();
  const [row] = await em.execute<{ generation: string }[]>(
    `select e."generation" + n."generation" as "generation" from "VectorNode" n
     join "Environment" e on e."id" = n."environmentId" where n."id" = ?`,
    [node.id],
  );
  const generation = Number(row?.generation ?? 0);
  const highest = counter(hello.highestGeneration);
  const highestGeneration = fenceOf(hello, installationId);
  if (hello.protocol > protocolVersion) {
    deps.log.info("an agent speaks a newer protocol", {
      nodeId: node.id,
      protocol: hello.protocol,
    });
  }
  const now = deps.clock.now();
  // Hello tells of every pipeline on the host: what it does not name was removed while nobody listened.
  await em.execute(
    `delete from "NodePipelineStatus" where "nodeId" = ? and not "pipelineId" = any (string_to_array(?, ','))`,
    [node.id, hello.reports.map(({ pipelineId }) => cleanName(pipelineId, 100)).join(",")],
  );
  await em.nativeUpdate(
    VectorNode,
    { id: node.id },
    {
      ...facts,
      host: hostname,
      metadata,
      capabilities: capabilityNames(hello.capabilities),
      reportedGeneration: highest,
      fenced: highestGeneration > generation,
      lastSeen: now,
      changedAt: now,
    },
  );
  return { generation, highestGeneration };
}

/** The generation from which the agent will listen again. */
function fenceOf(
  refusal: { readonly highestGeneration: bigint; readonly installationId: string },
  installationId: string,
): number {
  const foreign = refusal.installationId !== "" && refusal.installationId !== installationId;
  return foreign ? Infinity : Number(refusal.highestGeneration);
}

/** Names of what this server knows an agent may be able to do. */
function capabilityNames(capabilities: readonly Capability[]): string[] {
  return Object.entries(Capability)
    .filter(([name, capability]) => name !== "UNSPECIFIED" && capabilities.includes(capability))
    .map(([name]) => name);
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
            void recordFacts(deps, node.id, message.value.host);
            void askForSchema(deps, session, message.value.host);
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
            void recordFence(deps, node.id, counter(message.value.highestGeneration));
          }
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

async function recordFacts(
  deps: ServerDeps,
  nodeId: string,
  host: Parameters<typeof factsFromProto>[0],
): Promise<void> {
  const { metadata, hostname, ...facts } = factsFromProto(host);
  const changedAt = deps.clock.now();
  await deps.orm.em
    .fork()
    .nativeUpdate(VectorNode, { id: nodeId }, { ...facts, host: hostname, metadata, changedAt })
    .catch((error: unknown) =>
      deps.log.error("cannot store the facts of a host", { nodeId, error }),
    );
}

async function recordFence(deps: ServerDeps, nodeId: string, highest: number): Promise<void> {
  const changes = { fenced: true, reportedGeneration: highest, changedAt: deps.clock.now() };
  await deps.orm.em
    .fork()
    .nativeUpdate(VectorNode, { id: nodeId }, changes)
    .catch((error: unknown) => deps.log.error("cannot store a fence", { nodeId, error }));
}
