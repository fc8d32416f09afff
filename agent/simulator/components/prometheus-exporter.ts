import { createServer } from "node:http";
import type { BuildContext, Sink } from "../component.ts";
import { bool, number, text } from "../config.ts";
import type { MetricEvent } from "../event.ts";
import { osMessage } from "../secrets.ts";
import { listen } from "./http-server.ts";

const target = "vector::sinks::prometheus::exporter";

interface Entry {
  readonly metric: MetricEvent;
  readonly at: number;
}

const escape = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

/** The page in Prometheus' text format, as Vector writes it. */
export function renderPage(
  metrics: Iterable<MetricEvent>,
  namespace: string | undefined,
  timestamps: boolean,
): string {
  const groups = Map.groupBy(metrics, (metric) =>
    [metric.namespace ?? namespace, metric.name].filter(Boolean).join("_"),
  );
  const lines: string[] = [];
  for (const [name, group] of [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const [first] = group;
    lines.push(`# HELP ${name} ${first?.name}`, `# TYPE ${name} ${first?.type}`);
    for (const { tags, value, timestamp } of group) {
      const labels = Object.entries(tags)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, tag]) => `${key}="${escape(tag)}"`);
      const where = labels.length > 0 ? `{${labels.join(",")}}` : "";
      lines.push(`${name}${where} ${value}${timestamps ? ` ${timestamp.getTime()}` : ""}`);
    }
  }
  return lines.map((line) => `${line}\n`).join("");
}

export function prometheusExporter({ component, meter, log, faults }: BuildContext): Sink {
  const { options } = component;
  const address = text(options, "address") ?? "0.0.0.0:9598";
  const namespace = text(options, "default_namespace");
  const timestamps = !bool(options, "suppress_timestamp", false);
  const flushMs = number(options, "flush_period_secs", 60) * 1000;
  const user = text(options, "auth.user");
  const expected =
    user === undefined
      ? undefined
      : `Basic ${btoa(`${user}:${text(options, "auth.password") ?? ""}`)}`;
  const entries = new Map<string, Entry>();
  const { hangMetricsAfterMs } = faults;
  const hangsAt = hangMetricsAfterMs === undefined ? undefined : Date.now() + hangMetricsAfterMs;
  const server = createServer((req, res) => {
    if (hangsAt !== undefined && Date.now() >= hangsAt) return;
    if (expected !== undefined && req.headers.authorization !== expected) {
      res.writeHead(401, { "www-authenticate": "Basic, Bearer" }).end();
    } else if (req.method !== "GET" || req.url !== "/metrics") {
      res.writeHead(404).end();
    } else {
      const metrics = [...entries.values()].map(({ metric }) => metric);
      const page = renderPage(metrics, namespace, timestamps);
      meter.sent(metrics);
      meter.sentBytes("http", Buffer.byteLength(page));
      res.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(page);
    }
  });
  return {
    kind: "sink",
    async run(take) {
      try {
        await listen(server, address);
      } catch (error) {
        log.error(
          target,
          `Failed to start Prometheus exporter: TCP bind failed: ${osMessage(error)}.`,
        );
        throw error;
      }
      log.info(target, "Building HTTP server.", { address });
      let sweptAt = Date.now();
      for (let events = await take(1000); events !== undefined; events = await take(1000)) {
        const now = Date.now();
        if (flushMs > 0 && now - sweptAt > flushMs) {
          sweptAt = now;
          for (const [key, { at }] of entries) if (now - at > flushMs) entries.delete(key);
        }
        for (const metric of events) {
          if (metric.kind !== "metric") continue;
          entries.set(JSON.stringify([metric.namespace, metric.name, metric.tags]), {
            metric,
            at: now,
          });
        }
      }
      server.close();
      server.closeAllConnections();
    },
  };
}
