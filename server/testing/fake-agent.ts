import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  Client,
  Metadata,
  credentials,
  type ClientDuplexStream,
  type ServiceError,
} from "@grpc/grpc-js";
import {
  EnrollRequestSchema,
  SessionRequestSchema,
  type EnrollResponse,
  type SessionRequest,
  type SessionResponse,
} from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import type { DesiredState } from "#gen/vectorflow/agent/v1/desired_state_pb.ts";
import type { HostFacts, HostFactsSchema } from "#gen/vectorflow/agent/v1/host_pb.ts";
import { ComponentKind } from "#gen/vectorflow/agent/v1/heartbeat_pb.ts";
import { ApplyPhase, PipelineState } from "#gen/vectorflow/agent/v1/report_pb.ts";
import type { Capability, Welcome } from "#gen/vectorflow/agent/v1/session_pb.ts";
import { agentServiceDefinition } from "../fleet/agent.rpc.ts";

type Session = ClientDuplexStream<SessionRequest | Buffer, SessionResponse>;

/** How an agent of the tests answers what it is given. */
export interface Behaviour {
  /** The phases that it reports for each new body, in order. */
  readonly phases: readonly ApplyPhase[];
}

const obedient: Behaviour = {
  phases: [ApplyPhase.RECEIVED, ApplyPhase.VALIDATED, ApplyPhase.APPLYING, ApplyPhase.APPLIED],
};

const { enroll: enrollMethod, session: sessionMethod } = agentServiceDefinition;

/**
 * An agent without a host: a real peer on the real wire that accepts what it is given and reports numbers that
 * a test gives it. Many fit into one process.
 */
export class FakeAgent implements AsyncDisposable {
  readonly machineId: string;
  readonly desired: DesiredState[] = [];
  readonly messages: SessionResponse[] = [];
  welcome: Welcome | undefined;
  identity: EnrollResponse | undefined;
  behaviour: Behaviour = obedient;
  highestGeneration = 0n;
  /** What it says of its host beyond its name. */
  host: Exclude<MessageInitShape<typeof HostFactsSchema>, HostFacts> = {};
  /** Of its machine, which it then names in its Hello; empty as an older agent's. */
  hostBootId = "";
  /** What it says it can do, at its next Hello. */
  capabilities: Capability[] = [];
  /** Called with each message of the server. */
  onMessage: ((message: SessionResponse["message"]) => void) | undefined;
  /** Called with each manifest once it is complete. */
  onDesired: ((state: DesiredState) => void) | undefined;
  readonly held = new Map<string, { readonly hash: string; readonly version: number }>();
  readonly #client: Client;
  readonly #ownsClient: boolean;
  #session: Session | undefined;
  #sequence = 0n;
  #ended: PromiseWithResolvers<ServiceError | undefined> = Promise.withResolvers();

  /** @param server `http://host:port`, or a connection to share. */
  constructor(server: string | Client, machineId: string) {
    this.#ownsClient = typeof server === "string";
    this.#client =
      typeof server === "string"
        ? new Client(new URL(server).host, credentials.createInsecure(), {
            // A connection of its own, as each host has one.
            "grpc.use_local_subchannel_pool": 1,
          })
        : server;
    this.machineId = machineId.padEnd(16, "_");
  }

  async enroll(token: string, hostname = this.machineId): Promise<EnrollResponse> {
    const request = create(EnrollRequestSchema, {
      enrollmentToken: token,
      machineId: this.machineId,
      host: {
        hostname,
        os: "linux/amd64",
        vector: { version: "0.58.0" },
        ...this.host,
      },
    });
    const { path, requestSerialize, responseDeserialize } = enrollMethod as never as {
      path: string;
      requestSerialize: (message: unknown) => Buffer;
      responseDeserialize: (bytes: Buffer) => EnrollResponse;
    };
    const { promise, resolve, reject } = Promise.withResolvers<EnrollResponse>();
    this.#client.makeUnaryRequest(
      ...([path, requestSerialize, responseDeserialize, request] as const),
      (error: ServiceError | null, response?: EnrollResponse) => {
        if (error !== null || response === undefined) reject(error ?? new Error("no response"));
        else resolve(response);
      },
    );
    this.identity = await promise;
    return this.identity;
  }

  /** Opens the session and waits for the welcome. Rejects with the status when it is refused. */
  async connect(nodeToken = this.identity?.nodeToken ?? ""): Promise<Welcome> {
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${nodeToken}`);
    const { path, requestSerialize, responseDeserialize } = sessionMethod as never as {
      path: string;
      requestSerialize: (message: SessionRequest) => Buffer;
      responseDeserialize: (bytes: Buffer) => SessionResponse;
    };
    const session = this.#client.makeBidiStreamRequest(
      path,
      (message: SessionRequest | Buffer) =>
        Buffer.isBuffer(message) ? message : requestSerialize(message),
      responseDeserialize,
      metadata,
    );
    this.#session = session;
    this.#ended = Promise.withResolvers();
    const welcomed = Promise.withResolvers<Welcome>();
    session.on("data", (response: SessionResponse) => {
      this.messages.push(response);
      this.onMessage?.(response.message);
      if (response.message.case === "welcome") {
        this.welcome = response.message.value;
        welcomed.resolve(response.message.value);
      } else if (response.message.case === "desiredState") {
        this.#apply(response.message.value);
      }
    });
    session.on("error", (error: ServiceError) => {
      welcomed.reject(error);
      this.#ended.resolve(error);
    });
    session.on("end", () => this.#ended.resolve(undefined));
    this.send({
      case: "hello",
      value: {
        protocol: 1,
        capabilities: this.capabilities,
        bootId: this.machineId,
        machineId: this.hostBootId === "" ? "" : this.machineId,
        hostBootId: this.hostBootId,
        highestGeneration: this.highestGeneration,
        installationId: this.identity?.installationId ?? "",
        host: {
          hostname: this.machineId,
          os: "linux/amd64",
          vector: { version: "0.58.0" },
          ...this.host,
        },
        heldHashes: Object.fromEntries([...this.held].map(([id, { hash }]) => [id, hash])),
      },
    });
    return welcomed.promise;
  }

  /** Settles with the status that ended the session. */
  get ended(): Promise<ServiceError | undefined> {
    return this.#ended.promise;
  }

  send(message: MessageInitShape<typeof SessionRequestSchema>["message"]): void {
    this.#session?.write(create(SessionRequestSchema, message === undefined ? {} : { message }));
  }

  /** Sends bytes that need be no message. */
  sendBytes(bytes: Buffer): void {
    this.#session?.write(bytes);
  }

  /** Sends one heartbeat with these events for each component of each held pipeline. */
  heartbeat(events = 100, components: readonly string[] = ["in", "mid", "out"]): void {
    this.#sequence += 1n;
    const kinds = [ComponentKind.SOURCE, ComponentKind.TRANSFORM, ComponentKind.SINK];
    this.send({
      case: "heartbeat",
      value: {
        sequence: this.#sequence,
        intervalMs: 5e3,
        hostMetrics: {
          cpuRatio: 0.25,
          coreRatios: [0.2, 0.3],
          load1: 0.5,
          load5: 0.4,
          load15: 0.3,
          memoryTotalBytes: 8e9,
          memoryAvailableBytes: 6e9,
          uptimeSeconds: 1e3,
          filesystems: [
            {
              mount: "/",
              type: "ext4",
              totalBytes: 1e11,
              usedBytes: 4e10,
            },
          ],
          interfaces: [
            {
              name: "eth0",
              receivedBytes: 1e3,
              sentBytes: 2e3,
            },
          ],
        },
        pipelines: [...this.held].map(([pipelineId, { hash, version }]) => ({
          pipelineId,
          state: PipelineState.RUNNING,
          processEpoch: "1",
          uptimeSeconds: 60,
          effectiveHash: hash,
          effectiveVersion: version,
          metrics: {
            intervalMs: 5e3,
            components: components.map((componentId, index) => ({
              componentId,
              kind: kinds[Math.min(index, 2)] ?? ComponentKind.SINK,
              receivedEvents: events,
              sentEvents: events,
              receivedBytes: events * 100,
              sentBytes: events * 100,
            })),
          },
        })),
      },
    });
  }

  #apply(state: DesiredState): void {
    this.desired.push(state);
    if (!state.complete || state.generation < this.highestGeneration) return;
    this.highestGeneration = state.generation;
    const listed = new Set(state.manifest.map(({ pipelineId }) => pipelineId));
    for (const pipelineId of this.held.keys()) {
      if (listed.has(pipelineId)) continue;
      this.held.delete(pipelineId);
      this.send({
        case: "pipelineReport",
        value: { pipelineId, phase: ApplyPhase.REMOVED, state: PipelineState.STOPPED },
      });
    }
    for (const { pipelineId, hash, version, attempt } of state.manifest) {
      const known = this.held.get(pipelineId);
      if (known?.hash === hash && known.version === version) continue;
      this.held.set(pipelineId, { hash, version });
      for (const phase of this.behaviour.phases) {
        const done = phase === ApplyPhase.APPLIED;
        this.send({
          case: "pipelineReport",
          value: {
            pipelineId,
            phase,
            attempt,
            attemptedHash: hash,
            attemptedVersion: version,
            state: done ? PipelineState.RUNNING : PipelineState.STARTING,
            ...(done
              ? {
                  effectiveHash: hash,
                  effectiveVersion: version,
                }
              : {}),
          },
        });
      }
    }
    this.onDesired?.(state);
  }

  /** Stops to read, as a host does whose agent is stuck; what comes meanwhile piles up before it. */
  pause(): void {
    this.#session?.pause();
  }

  resume(): void {
    this.#session?.resume();
  }

  /** Goes without a word, as a host does that loses power. */
  drop(): void {
    this.#session?.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session?.on("error", () => {});
    this.#session?.end();
    this.#session?.cancel();
    if (this.#ownsClient) this.#client.close();
  }
}
