import { type Builder, BuildError } from "../component.ts";
import type { Kind } from "../catalogue.ts";

/** Loads a builder when a config first needs it: a start reads only what it runs. */
type Load = () => Promise<Builder>;

const builders: Readonly<Record<Kind, Readonly<Record<string, Load>>>> = {
  source: {
    demo_logs: async () => (await import("./demo-logs.ts")).demoLogs,
    file: async () => (await import("./file-source.ts")).fileSource,
    http: async () => (await import("./http-server.ts")).httpServer,
    http_server: async () => (await import("./http-server.ts")).httpServer,
    internal_metrics: async () => (await import("./internal-metrics.ts")).internalMetrics,
    stdin: async () => (await import("./stdin.ts")).stdin,
  },
  transform: {
    filter: async () => (await import("./filter.ts")).filter,
    remap: async () => (await import("./remap.ts")).remap,
    route: async () => (await import("./route.ts")).route,
  },
  sink: {
    blackhole: async () => (await import("./blackhole.ts")).blackhole,
    console: async () => (await import("./console.ts")).consoleSink,
    file: async () => (await import("./file-sink.ts")).fileSink,
    http: async () => (await import("./http-sink.ts")).httpSink,
    prometheus_exporter: async () => (await import("./prometheus-exporter.ts")).prometheusExporter,
  },
};

export async function builderOf(kind: Kind, type: string): Promise<Builder> {
  const load = builders[kind][type];
  if (load === undefined) {
    throw new BuildError(
      `vector-sim does not run the ${kind} type "${type}": it needs a real Vector`,
    );
  }
  return load();
}

/** The types that run, as `list` shows them. */
export const runnable = (kind: Kind): readonly string[] => Object.keys(builders[kind]);
