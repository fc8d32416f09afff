import { once } from "node:events";
import http from "node:http";
import http2, { type ServerHttp2Session } from "node:http2";
import net, { type Socket } from "node:net";

/** Something that listens. */
export interface Listener extends AsyncDisposable {
  readonly port: number;
}

/** Thrown when a port is in use or may not be opened. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

export type HttpHandler = (
  request: http.IncomingMessage | http2.Http2ServerRequest,
  response: http.ServerResponse | http2.Http2ServerResponse,
) => void;

/** How long a client may take to send, so that slow ones cannot hold connections without end. */
export interface HttpTimeouts {
  /** Until the protocol is known. */
  readonly sniffMs: number;
  readonly headersMs: number;
  readonly requestMs: number;
  /** How often the two above are looked at. */
  readonly checkMs: number;
}

export interface HttpPortOptions {
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly timeouts?: HttpTimeouts;
  readonly onError: (error: Error) => void;
}

const defaultTimeouts: HttpTimeouts = {
  sniffMs: 10_000,
  headersMs: 20_000,
  requestMs: 60_000,
  checkMs: 5000,
};

/** How long disposing waits for requests and streams that do not end. */
const closeMs = 1500;

/**
 * HTTP/1.1 and HTTP/2 on one port, in plaintext, where the first bytes of a connection tell which, or by TLS.
 * Disposing closes what is idle at once and waits a short while for the rest.
 */
export async function openHttpPort(
  address: { readonly host: string; readonly port: number },
  setting: string,
  handler: HttpHandler,
  options: HttpPortOptions,
): Promise<Listener> {
  const { tls, timeouts = defaultTimeouts } = options;
  const limits = {
    requestTimeout: timeouts.requestMs,
    headersTimeout: timeouts.headersMs,
    connectionsCheckingInterval: timeouts.checkMs,
  };
  const sessions = new Set<ServerHttp2Session>();
  const h1 = http.createServer(limits, handler as http.RequestListener);
  const h2 =
    tls === undefined
      ? http2.createServer(handler)
      : http2.createSecureServer(
          { ...limits, ...tls, allowHTTP1: true, handshakeTimeout: timeouts.sniffMs },
          handler,
        );
  h2.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  const withH1 = tls === undefined ? h1 : (h2 as unknown as http.Server);
  // Neither listens itself, and only that would make it look for connections that are slow or idle.
  withH1.emit("listening");
  const sockets = new Set<Socket>();
  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    if (tls === undefined) sniff(socket, h1, h2, timeouts.sniffMs);
    else h2.emit("connection", socket);
  });
  // A failed accept is the system's trouble of the moment, not the end of the server.
  server.on("error", options.onError);
  const { port } = await listen(server, address, setting);
  return {
    port,
    async [Symbol.asyncDispose]() {
      const deadline = performance.now() + closeMs;
      server.close();
      for (const session of sessions) session.close();
      withH1.closeIdleConnections();
      while (sockets.size > 0 && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 25));
        withH1.closeIdleConnections();
      }
      for (const socket of sockets) socket.destroy();
      withH1.close();
    },
  };
}

/** Starts to listen. Throws a ListenError that names the setting and what to do. */
export async function listen(
  server: net.Server,
  address: { readonly host: string; readonly port: number },
  setting: string,
): Promise<{ port: number }> {
  server.listen(address.port, address.host);
  const failed = Promise.withResolvers<never>();
  server.once("error", failed.reject);
  try {
    await Promise.race([once(server, "listening"), failed.promise]);
  } catch (cause) {
    const { code } = cause as { code?: string };
    const where = `${address.host}:${address.port}`;
    const texts: Record<string, string> = {
      EADDRINUSE: `${where} is in use by another program: stop it, or set ${setting} to another port (0 picks a free one)`,
      EACCES: `this account may not listen on ${where}: set ${setting} to a port above 1023`,
      EADDRNOTAVAIL: `this machine has no address ${address.host}: correct ${setting}`,
    };
    throw new ListenError(texts[code ?? ""] ?? `cannot listen on ${where}: ${String(cause)}`, {
      cause,
    });
  } finally {
    server.removeListener("error", failed.reject);
  }
  const bound = server.address();
  return { port: typeof bound === "object" && bound !== null ? bound.port : address.port };
}

/** Hands a connection to the server of its protocol. `P` alone could still be POST, PUT or HTTP/2's preface. */
function sniff(
  socket: Socket,
  h1: http.Server,
  h2: http2.Http2Server | http2.Http2SecureServer,
  timeoutMs: number,
): void {
  let head: Buffer = Buffer.alloc(0);
  const drop = (): void => {
    socket.destroy();
  };
  socket.on("error", drop);
  socket.setTimeout(timeoutMs, drop);
  const look = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) head = Buffer.concat([head, chunk]);
    if (head.length === 0 || (head[0] === 0x50 && head.length < 3)) {
      socket.once("readable", look);
      return;
    }
    socket.setTimeout(0);
    socket.removeListener("timeout", drop);
    socket.removeListener("error", drop);
    socket.unshift(head);
    (head.toString("latin1", 0, 3) === "PRI" ? h2 : h1).emit("connection", socket);
  };
  socket.once("readable", look);
}
