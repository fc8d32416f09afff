import { once } from "node:events";
import { createServer as createHttp1, type RequestListener } from "node:http";
import {
  createServer as createHttp2,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer, type Socket } from "node:net";

export const grpcStatus = {
  invalidArgument: 3,
  notFound: 5,
  unimplemented: 12,
  internal: 13,
} as const;

export class GrpcError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Answers one call: sends one message (unary) or many; ends when it returns, or on the abort. */
export type Handler = (
  request: Uint8Array,
  send: (message: Uint8Array) => void,
  signal: AbortSignal,
) => Promise<void>;

const http2Preface = "PRI";

/**
 * One plaintext port for gRPC over HTTP/2 (prior knowledge) and for HTTP/1.1, like Vector's API. Made
 * of Node's own http2, which costs no start-up time. Streams survive the closing of the listener
 * until their client leaves.
 */
export class GrpcServer {
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #http1;
  readonly #http2 = createHttp2();
  readonly #listener = createServer({ noDelay: true }, (socket) => this.#sniff(socket));
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(handlers: ReadonlyMap<string, Handler>, http: RequestListener) {
    this.#handlers = handlers;
    this.#http1 = createHttp1(http);
    this.#http2.on("session", (session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
      session.on("error", () => session.destroy());
    });
    this.#http2.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      void this.#answer(stream, String(headers[":path"]));
    });
    this.#http2.on("sessionError", () => {});
  }

  async listen(host: string, port: number): Promise<void> {
    this.#listener.listen({ host, port });
    await once(this.#listener, "listening");
  }

  close(): void {
    this.#listener.close();
    this.#http1.closeIdleConnections();
    for (const session of this.#sessions) session.close();
  }

  /** Tells by the first bytes which protocol it is. */
  #sniff(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    const look = (): void => {
      const seen = socket.read() as Buffer | null;
      if (seen === null) {
        socket.once("readable", look);
        return;
      }
      socket.unshift(seen);
      const start = seen.toString("latin1", 0, http2Preface.length);
      (start === http2Preface ? this.#http2 : this.#http1).emit("connection", socket);
    };
    socket.once("readable", look);
  }

  async #answer(stream: ServerHttp2Stream, path: string): Promise<void> {
    const left = new AbortController();
    stream.once("close", () => left.abort());
    stream.on("error", () => left.abort());
    const handler = this.#handlers.get(path);
    let status = { "grpc-status": "0", "grpc-message": "" };
    stream.once("wantTrailers", () => stream.sendTrailers(status));
    stream.respond(
      { ":status": 200, "content-type": "application/grpc" },
      { waitForTrailers: true },
    );
    try {
      if (handler === undefined) throw new GrpcError(grpcStatus.unimplemented, "");
      const request = await readMessage(stream);
      await handler(request, (message) => writeMessage(stream, message), left.signal);
    } catch (error) {
      const { code, message } =
        error instanceof GrpcError ? error : new GrpcError(grpcStatus.internal, String(error));
      status = {
        "grpc-status": String(code),
        "grpc-message": encodeURIComponent(message).replaceAll("%20", " "),
      };
    }
    if (!stream.destroyed) stream.end();
  }
}

/** A call's one request: a byte for the compression, four for the length, the message. */
async function readMessage(stream: ServerHttp2Stream): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const frame = Buffer.concat(chunks);
  if (frame.length < 5 || frame[0] !== 0)
    throw new GrpcError(grpcStatus.unimplemented, "compression is not supported");
  return frame.subarray(5, 5 + frame.readUInt32BE(1));
}

function writeMessage(stream: ServerHttp2Stream, message: Uint8Array): void {
  if (stream.destroyed || stream.writableEnded) return;
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  stream.write(frame);
}
