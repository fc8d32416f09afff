import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import http2, { type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import net, { type Socket } from "node:net";
import { createContextValues } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { ServerDeps } from "./deps.ts";
import { isReady } from "./health/readiness.ts";
import { OidcPages } from "./oidc/oidc-pages.ts";
import { interceptors, routes } from "./routes.ts";
import { callerKey } from "./rpc/call-scope.ts";
import { clientAddress, parseNetworks } from "./rpc/client-address.ts";
import { securityHeaders, sendText, serveWebFile } from "./web-files.ts";

/** Something that listens. */
export interface Listener extends AsyncDisposable {
  readonly port: number;
}

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** A call may carry a pipeline of 1 MiB and what surrounds it. */
const maximumRequestBytes = 8 * 1024 * 1024;
const sniffTimeoutMs = 10_000;

/** Thrown when a port is in use or may not be opened. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/**
 * The web client and the user API on one port: HTTP/1.1, and HTTP/2 in plaintext or by TLS. The first bytes of a
 * connection tell which. Streams end when `deps.signal` is aborted; disposing waits for that.
 */
export async function listenHttp(deps: ServerDeps, webRoot: string): Promise<Listener> {
  const proxies = parseNetworks(deps.config.trustedProxies);
  const oidc = new OidcPages(deps);
  const noProxies = deps.config.trustedProxies.length === 0;
  const secure =
    deps.config.tls !== undefined || deps.config.publicUrl?.startsWith("https:") === true;
  const handler = connectNodeAdapter({
    routes: routes(deps),
    interceptors: interceptors(deps),
    readMaxBytes: maximumRequestBytes,
    shutdownSignal: deps.signal,
    contextValues: (request) =>
      createContextValues().set(callerKey, {
        ipAddress: clientAddress(
          request.socket.remoteAddress,
          request.headers["x-forwarded-for"]?.toString(),
          proxies,
        ),
        secure,
      }),
    fallback: (request, response) =>
      void answerPlain(deps, oidc, webRoot, request, response as Response),
  });
  let warned = false;
  const secured = (request: Request, response: Response): void => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    if (secure) response.setHeader("strict-transport-security", "max-age=31536000");
    if (!warned && request.headers["x-forwarded-for"] !== undefined && noProxies) {
      warned = true;
      // Everyone behind it shares one address, and with it the limits for one address.
      deps.log.warn(
        "a proxy forwards calls and is not trusted: set VECTORFLOW_TRUSTED_PROXIES to its network",
        { address: request.socket.remoteAddress },
      );
    }
    if (Number(request.headers["content-length"] ?? 0) > maximumRequestBytes) {
      // Read to its end, or the client would see a reset instead of the answer.
      request.resume();
      response.setHeader("connection", "close");
      sendText(response, 413, `a request may have at most ${maximumRequestBytes} bytes`);
      return;
    }
    (handler as (request: Request, response: Response) => void)(request, response);
  };
  const h1 = http.createServer({ requestTimeout: 60_000, headersTimeout: 20_000 }, secured);
  const h2 =
    deps.config.tls === undefined
      ? http2.createServer(secured)
      : http2.createSecureServer(
          { ...deps.config.tls, allowHTTP1: true, handshakeTimeout: sniffTimeoutMs },
          secured,
        );
  const sockets = new Set<Socket>();
  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    if (deps.config.tls === undefined) sniff(socket, h1, h2);
    else h2.emit("connection", socket);
  });
  // A failed accept is the system's trouble of the moment, not the end of the server.
  server.on("error", (error) => deps.log.warn("listener failed", { error }));
  const { port } = await listen(server, deps.config.http, "VECTORFLOW_HTTP_LISTEN");
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.close();
      // Streams have been told to end; what is idle then is closed, and the rest after a short while.
      h1.closeIdleConnections();
      const deadline = Date.now() + 1500;
      while (sockets.size > 0 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 25));
        h1.closeIdleConnections();
      }
      for (const socket of sockets) socket.destroy();
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
): void {
  let head: Buffer = Buffer.alloc(0);
  const drop = (): void => {
    socket.destroy();
  };
  socket.on("error", drop);
  socket.setTimeout(sniffTimeoutMs, drop);
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

async function answerPlain(
  deps: ServerDeps,
  oidc: OidcPages,
  webRoot: string,
  request: Request,
  response: Response,
): Promise<void> {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  try {
    if (request.method !== "GET" && request.method !== "HEAD") {
      sendText(response, 405, "method not allowed");
    } else if (path === "/healthz") {
      sendText(response, 200, "ok");
    } else if (path === "/readyz") {
      const ready = await isReady(deps);
      sendText(response, ready ? 200 : 503, ready ? "ready" : "the database does not answer");
    } else if (path === "/metrics") {
      const { registry } = deps.metrics;
      sendText(response, 200, await registry.metrics(), registry.contentType);
    } else if (!(await oidc.serve(path, request as IncomingMessage, response as ServerResponse))) {
      await serveWebFile(webRoot, request, response);
    }
  } catch (error) {
    deps.log.error("request failed", { path, error });
    if (!response.headersSent) sendText(response, 500, "internal error");
  }
}
