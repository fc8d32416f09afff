import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { createContextValues } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { ServerDeps } from "./deps.ts";
import { isReady } from "./health/readiness.ts";
import { openHttpPort, type Listener } from "./http-port.ts";
import { OidcPages } from "./oidc/oidc-pages.ts";
import { interceptors, routes } from "./routes.ts";
import { callerKey } from "./rpc/call-scope.ts";
import { clientAddress, parseNetworks } from "./rpc/client-address.ts";
import { securityHeaders, sendText, serveWebFile } from "./web-files.ts";

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** A call may carry a pipeline of 5 MB and what surrounds it. */
const maximumRequestBytes = 8 * 1024 * 1024;

/**
 * The web client and the user API on one port: HTTP/1.1 and HTTP/2. Streams end when `deps.signal` is aborted;
 * disposing waits for that.
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
  return openHttpPort(deps.config.http, "VECTORFLOW_HTTP_LISTEN", secured, {
    tls: deps.config.tls,
    onError: (error) => deps.log.warn("listener failed", { error }),
  });
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
