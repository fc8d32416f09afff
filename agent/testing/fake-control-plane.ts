import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  Server,
  status,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";
import {
  AgentService,
  EnrollRequestSchema,
  EnrollResponseSchema,
  SessionRequestSchema,
  SessionResponseSchema,
  type EnrollRequest,
  type EnrollResponse,
  type SessionRequest,
  type SessionResponse,
} from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import type { Heartbeat } from "#gen/vectorflow/agent/v1/heartbeat_pb.ts";
import type { LogLine } from "#gen/vectorflow/agent/v1/log_pb.ts";
import type { PipelineReport } from "#gen/vectorflow/agent/v1/report_pb.ts";

type Call = ServerDuplexStream<SessionRequest, SessionResponse>;

const serviceDefinition = {
  enroll: {
    path: `/${AgentService.typeName}/Enroll`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (message: EnrollRequest) =>
      Buffer.from(toBinary(EnrollRequestSchema, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(EnrollRequestSchema, bytes),
    responseSerialize: (message: EnrollResponse) =>
      Buffer.from(toBinary(EnrollResponseSchema, message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(EnrollResponseSchema, bytes),
  },
  session: {
    path: `/${AgentService.typeName}/Session`,
    requestStream: true,
    responseStream: true,
    requestSerialize: (message: SessionRequest) =>
      Buffer.from(toBinary(SessionRequestSchema, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(SessionRequestSchema, bytes),
    responseSerialize: (message: SessionResponse) =>
      Buffer.from(toBinary(SessionResponseSchema, message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(SessionResponseSchema, bytes),
  },
};

type SentKind = NonNullable<SessionRequest["message"]["case"]>;
type SentValue<K extends SentKind> = Extract<SessionRequest["message"], { case: K }>["value"];

/** What a manifest shall list, with its body. */
export interface Wanted {
  readonly id: string;
  readonly hash: string;
  readonly version: number;
  readonly yaml: string;
  readonly attempt?: number;
  readonly logLevel?: string;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly certificates?: readonly {
    readonly name: string;
    readonly filename: string;
    readonly content: string;
  }[];
}

/** A control plane without a database: a real peer on the wire that tests tell what to want. */
export class FakeControlPlane implements AsyncDisposable {
  readonly reports: PipelineReport[] = [];
  readonly heartbeats: Heartbeat[] = [];
  readonly lines: LogLine[] = [];
  readonly messages: SessionRequest[] = [];
  enrolments = 0;
  /** Bodies that were sent so far: none for a hash that the agent's Hello named (P1). */
  bodiesSent = 0;
  heartbeatIntervalMs = 200;
  /** The node token that sessions need. */
  nodeToken = "vfn_token";
  /** The only enrollment token that is good; undefined when all are. */
  enrollmentToken: string | undefined;
  /** Certificate and key with which it speaks TLS from the next start on. */
  tls: { readonly certificate: string; readonly key: string } | undefined;
  installationId = "installation";
  generation = 1n;
  #server: Server | undefined;
  #call: Call | undefined;
  #wanted: readonly Wanted[] | undefined;
  #port = 0;
  #held: Readonly<Record<string, string>> = {};

  /** Listens, the second time on the same port. Returns `host:port`. */
  async start(): Promise<string> {
    const server = new Server();
    server.addService(serviceDefinition, {
      enroll: (
        { request }: ServerUnaryCall<EnrollRequest, EnrollResponse>,
        done: sendUnaryData<EnrollResponse>,
      ) => {
        if (
          this.enrollmentToken !== undefined &&
          request.enrollmentToken !== this.enrollmentToken
        ) {
          done({ code: status.UNAUTHENTICATED, details: "the enrollment token is not valid" });
          return;
        }
        if (request.machineId === "") {
          done({ code: status.INVALID_ARGUMENT, details: "the machine id is missing" });
          return;
        }
        this.enrolments += 1;
        done(
          null,
          create(EnrollResponseSchema, {
            installationId: this.installationId,
            nodeId: "node",
            nodeToken: this.nodeToken,
            environmentId: "environment",
            environmentName: "Test",
          }),
        );
      },
      session: (call: Call) => this.#session(call),
    });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const credentials =
      this.tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [
            {
              cert_chain: Buffer.from(this.tls.certificate),
              private_key: Buffer.from(this.tls.key),
            },
          ]);
    server.bindAsync(`127.0.0.1:${this.#port}`, credentials, (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
    this.#port = await promise;
    this.#server = server;
    return `127.0.0.1:${this.#port}`;
  }

  /** Goes away without a word, as a server does that is killed. */
  stop(): void {
    this.#call = undefined;
    this.#server?.forceShutdown();
    this.#server = undefined;
  }

  /** Wants exactly these pipelines from now on, with the next generation. */
  want(...wanted: readonly Wanted[]): void {
    this.generation += 1n;
    this.#wanted = wanted;
    this.#push();
  }

  send(message: MessageInitShape<typeof SessionResponseSchema>["message"]): void {
    if (message === undefined) return;
    this.#call?.write(create(SessionResponseSchema, { message }));
  }

  /** Ends the session and leaves the agent to dial again. */
  endSession(): void {
    this.#call?.end();
    this.#call = undefined;
  }

  /** All that the agent sent of one kind. */
  sent<K extends SentKind>(kind: K): SentValue<K>[] {
    return this.messages.flatMap(({ message }) =>
      // The compiler does not see that the value goes with the case.
      message.case === kind ? [message.value as SentValue<K>] : [],
    );
  }

  /** The newest report of a pipeline. */
  last(id: string): PipelineReport | undefined {
    return this.reports.findLast(({ pipelineId }) => pipelineId === id);
  }

  #push(): void {
    if (this.#wanted === undefined) return;
    const manifest = this.#wanted.map(({ id, hash, version, attempt }) => ({
      pipelineId: id,
      name: id,
      hash,
      version,
      attempt: attempt ?? 0,
    }));
    const bodies = this.#wanted
      .filter(({ id, hash }) => this.#held[id] !== hash)
      .map(({ id, hash, yaml, logLevel, secrets, certificates }) => ({
        pipelineId: id,
        hash,
        configYaml: yaml,
        logLevel: logLevel ?? "",
        secrets: Object.fromEntries(
          Object.entries(secrets ?? {}).map(([name, value]) => [name, Buffer.from(value)]),
        ),
        certificates: (certificates ?? []).map((file) => ({
          ...file,
          content: Buffer.from(file.content),
        })),
      }));
    this.bodiesSent += bodies.length;
    const { generation, installationId } = this;
    this.send({
      case: "desiredState",
      value: { generation, installationId, manifest, bodies, complete: true },
    });
  }

  #session(call: Call): void {
    const refuse = (code: status, details: string): boolean =>
      call.emit("error", { code, details });
    call.on("error", () => {});
    const [authorization] = call.metadata.get("authorization");
    if (authorization !== `Bearer ${this.nodeToken}`) {
      refuse(status.UNAUTHENTICATED, "the node token is not valid");
      return;
    }
    let isGreeted = false;
    call.on("end", () => call.end());
    call.on("data", (request: SessionRequest) => {
      this.messages.push(request);
      const { message } = request;
      if (!isGreeted && message.case !== "hello") {
        refuse(status.INVALID_ARGUMENT, "the first message of a session must be Hello");
        return;
      }
      if (message.case === "hello") {
        isGreeted = true;
        this.#call = call;
        this.reports.push(...message.value.reports);
        this.#held = message.value.heldHashes;
        this.send({
          case: "welcome",
          value: {
            installationId: this.installationId,
            generation: this.generation,
            nodeId: "node",
            heartbeatIntervalMs: this.heartbeatIntervalMs,
            limits: { logCreditLines: 1000 },
          },
        });
        this.#push();
      } else if (message.case === "heartbeat") {
        this.heartbeats.push(message.value);
      } else if (message.case === "pipelineReport") {
        this.reports.push(message.value);
      } else if (message.case === "logBatch") {
        this.lines.push(...message.value.lines);
        this.send({
          case: "logAck",
          value: { sequence: message.value.sequence, creditLines: 1000 },
        });
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
  }
}
