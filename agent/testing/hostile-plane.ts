import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import {
  createServer,
  connect as connectSocket,
  type Server as TcpServer,
  type Socket,
} from "node:net";
import { bodyDigest } from "#common/body-digest.ts";
import {
  AgentService,
  EnrollResponseSchema,
  SessionRequestSchema,
  SessionResponseSchema,
  type SessionRequest,
} from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import type {
  DesiredStateSchema,
  ManifestEntrySchema,
  PipelineBodySchema,
} from "#gen/vectorflow/agent/v1/desired_state_pb.ts";
import type { PipelineReport } from "#gen/vectorflow/agent/v1/report_pb.ts";
import type { WelcomeSchema } from "#gen/vectorflow/agent/v1/session_pb.ts";

type Call = ServerDuplexStream<Buffer, Buffer>;
type Init<T extends Parameters<typeof create>[0]> = Exclude<
  MessageInitShape<T>,
  { $typeName: string }
>;
export type Response = NonNullable<MessageInitShape<typeof SessionResponseSchema>["message"]>;
export type EntryInit = Init<typeof ManifestEntrySchema>;
export type BodyInit = Init<typeof PipelineBodySchema>;
export type StateInit = Init<typeof DesiredStateSchema>;

const identity = (bytes: Buffer): Buffer => bytes;
const path = (method: string): string => `/${AgentService.typeName}/${method}`;
const definition = {
  enroll: {
    path: path("Enroll"),
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
  session: {
    path: path("Session"),
    requestStream: true,
    responseStream: true,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
};

/** One session of the agent with a server that may send anything. */
export class HostileSession {
  readonly received: SessionRequest[] = [];
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  send(message: Response): void {
    const response = create(SessionResponseSchema, { message });
    this.sendBytes(Buffer.from(toBinary(SessionResponseSchema, response)));
  }

  sendBytes(bytes: Buffer): void {
    this.#call.write(bytes);
  }

  end(code: status, details: string): void {
    if (code === status.OK) this.#call.end();
    else this.#call.emit("error", { code, details } as ServiceError);
  }

  /** Messages of one kind, in the order in which they came. */
  of<K extends SessionRequest["message"]["case"]>(kind: K) {
    return this.received.flatMap(({ message }) =>
      message.case === kind
        ? [message.value as Extract<SessionRequest["message"], { case: K }>["value"]]
        : [],
    );
  }
}

/**
 * A server that a test makes behave as badly as it likes: on top of gRPC by sending any bytes, and below it by
 * taking the socket. Left alone it wants one pipeline, with the next generation for each session.
 */
export class HostilePlane implements AsyncDisposable {
  readonly sessions: HostileSession[] = [];
  readonly reports: PipelineReport[] = [];
  readonly installationId = "installation";
  generation = 1n;
  /** What the manifest lists when nothing hostile is going on. */
  wanted: readonly BodyInit[] = [];
  /** How the next sessions begin; undefined for well. */
  greet: ((session: HostileSession) => void) | undefined;
  /** Takes the next connections away from gRPC; undefined for not. */
  takeSocket: ((socket: Socket) => void) | undefined;
  readonly #sockets = new Set<Socket>();
  #grpc: Server | undefined;
  #front: TcpServer | undefined;
  #grpcPort = 0;

  /** Listens; returns `host:port`. */
  async start(): Promise<string> {
    const grpc = new Server({
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
    });
    grpc.addService(definition, {
      enroll: (_call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
        const { installationId } = this;
        const answer = create(EnrollResponseSchema, {
          installationId,
          nodeId: "node",
          nodeToken: "vfn_token",
          environmentId: "environment",
          environmentName: "Test",
        });
        done(null, Buffer.from(toBinary(EnrollResponseSchema, answer)));
      },
      session: (call: Call) => this.#begin(call),
    });
    const bound = Promise.withResolvers<number>();
    grpc.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error === null ? bound.resolve(port) : bound.reject(error),
    );
    this.#grpcPort = await bound.promise;
    this.#grpc = grpc;
    const front = createServer((socket) => this.#route(socket));
    this.#front = front;
    const listening = Promise.withResolvers<void>();
    front.listen(0, "127.0.0.1", listening.resolve);
    await listening.promise;
    const address = front.address();
    return `127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  get session(): HostileSession | undefined {
    return this.sessions.at(-1);
  }

  welcome(session: HostileSession, more: Init<typeof WelcomeSchema> = {}): void {
    const { installationId, generation } = this;
    session.send({
      case: "welcome",
      value: {
        installationId,
        generation,
        nodeId: "node",
        heartbeatIntervalMs: 200,
        limits: { logCreditLines: 1000 },
        ...more,
      },
    });
  }

  /** A complete desired state of these bodies, with right digests, in the next generation. */
  state(bodies: readonly BodyInit[] = this.wanted, more: StateInit = {}): StateInit {
    this.generation += 1n;
    const { installationId, generation } = this;
    return {
      generation,
      installationId,
      complete: true,
      manifest: bodies.map((body) => entryOf(body)),
      bodies: [...bodies],
      ...more,
    };
  }

  sendState(bodies?: readonly BodyInit[], more?: StateInit): void {
    this.session?.send({ case: "desiredState", value: this.state(bodies, more) });
  }

  /** The newest report of a pipeline. */
  last(id: string): PipelineReport | undefined {
    return this.reports.findLast(({ pipelineId }) => pipelineId === id);
  }

  /** Ends every connection at once; with `reset` by RST instead of FIN. */
  cut(reset = false): void {
    for (const socket of this.#sockets) {
      if (reset) socket.resetAndDestroy();
      else socket.destroy();
    }
  }

  #route(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    if (this.takeSocket !== undefined) {
      this.takeSocket(socket);
      return;
    }
    const inner = connectSocket(this.#grpcPort, "127.0.0.1");
    inner.on("error", () => socket.destroy());
    inner.on("close", () => socket.destroy());
    socket.on("close", () => inner.destroy());
    socket.pipe(inner).pipe(socket);
  }

  #begin(call: Call): void {
    const session = new HostileSession(call);
    call.on("error", () => {});
    call.on("end", () => call.end());
    call.on("data", (bytes: Buffer) => {
      const request = fromBinary(SessionRequestSchema, bytes);
      session.received.push(request);
      const { message } = request;
      if (message.case === "hello") {
        this.reports.push(...message.value.reports);
        this.sessions.push(session);
        if (this.greet !== undefined) this.greet(session);
        else {
          this.welcome(session);
          this.sendState();
        }
      } else if (message.case === "pipelineReport") this.reports.push(message.value);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#front?.close();
    this.#grpc?.forceShutdown();
  }
}

export function entryOf(body: BodyInit, more: EntryInit = {}): EntryInit {
  return {
    pipelineId: body.pipelineId ?? "",
    name: body.pipelineId ?? "",
    hash: body.hash ?? "",
    version: 1,
    bodySha256: digestOf(body),
    ...more,
  };
}

export function digestOf(body: BodyInit): Uint8Array {
  return bodyDigest({
    configYaml: body.configYaml ?? "",
    logLevel: body.logLevel ?? "",
    secrets: Object.entries(body.secrets ?? {}),
    certificates: (body.certificates ?? []).map(({ name = "", filename = "", content }) => ({
      name,
      filename,
      content: content ?? new Uint8Array(),
    })),
  });
}
