import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { Logger } from "#common/logger.ts";
import type { HealthAddress } from "../config.ts";
import { messageOf } from "../text.ts";
import { readHealth, reasonsNotReady, type HealthSources } from "./agent-health.ts";

/** A monitor that connects and says nothing is sent away after this long. */
const requestMs = 5000;
const maxConnections = 20;

/**
 * Answers /healthz, /readyz and /metrics until the signal; with no address it does nothing. It is a convenience:
 * a taken port is a warning, and never a reason for pipelines not to run (P2).
 */
export async function runHealthPage(
  address: HealthAddress | undefined,
  sources: HealthSources,
  log: Logger,
  signal: AbortSignal,
  onListening: (port: number) => void = () => {},
): Promise<void> {
  if (address === undefined) return;
  // Not loaded by an agent without the page: memory is dear on a host.
  const { HealthMetrics } = await import("./health-metrics.ts");
  using metrics = new HealthMetrics(() => readHealth(sources));
  const server = createServer({ requestTimeout: requestMs, headersTimeout: requestMs });
  server.maxConnections = maxConnections;
  server.on("request", (request, response) => {
    const path = request.url?.split("?", 1)[0];
    if (request.method !== "GET" && request.method !== "HEAD") {
      answer(response, 405, "only GET is answered\n");
    } else if (path === "/healthz") answer(response, 200, "ok\n");
    else if (path === "/readyz") {
      const reasons = reasonsNotReady(readHealth(sources));
      answer(response, reasons.length === 0 ? 200 : 503, `${reasons.join("\n") || "ready"}\n`);
    } else if (path === "/metrics") {
      metrics.render().then(
        (text) => answer(response, 200, text, metrics.contentType),
        (error: unknown) => answer(response, 500, `${messageOf(error)}\n`),
      );
    } else answer(response, 404, "there are /healthz, /readyz and /metrics\n");
  });
  try {
    server.listen({ ...address, signal });
    await once(server, "listening", { signal });
  } catch (error) {
    if (signal.aborted) return;
    log.warn("the health page cannot listen; everything else goes on", { ...address, error });
    return;
  }
  const bound = server.address();
  onListening(typeof bound === "object" && bound !== null ? bound.port : address.port);
  server.on("error", (error) => log.warn("the health page failed", { error }));
  if (!signal.aborted) await once(signal, "abort");
  server.closeAllConnections();
}

function answer(
  response: ServerResponse,
  status: number,
  text: string,
  type = "text/plain; charset=utf-8",
): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text);
}
