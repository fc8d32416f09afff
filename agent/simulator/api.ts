import { once } from "node:events";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  ComponentType,
  MetricName,
  ObservabilityService,
  type StreamComponentMetricsResponseSchema,
} from "#gen/vector/observability_pb.ts";
import { toEventWrapper } from "./event-proto.ts";
import { GrpcError, GrpcServer, grpcStatus, type Handler } from "./grpc-server.ts";
import type { Log } from "./log.ts";
import type { Registry } from "./metrics.ts";
import { outputsOf } from "./ports.ts";
import { osMessage } from "./secrets.ts";
import { matchTaps, Reservoir } from "./tap.ts";
import type { Topology } from "./topology.ts";

export interface ApiDeps {
  readonly topology: Topology;
  readonly registry: Registry;
  readonly log: Log;
  readonly versionLine: string;
}

const target = "vector::api::grpc_server";

/** Opens Vector's API (gRPC, and `/health` over HTTP/1.1) on one port; rejects when it cannot. */
export async function openApi(
  address: string,
  deps: ApiDeps,
): Promise<{ notServing(): void; close(): void }> {
  const health = new Health();
  const server = new GrpcServer(
    new Map([...observability(deps), ...health.handlers()]),
    (req, res) => {
      if (req.url !== "/health") {
        res.writeHead(404).end();
        return;
      }
      res
        .writeHead(health.serving ? 200 : 503, { "content-type": "application/json" })
        .end(JSON.stringify({ ok: health.serving }));
    },
  );
  const colon = address.lastIndexOf(":");
  try {
    await server.listen(
      address.slice(0, colon).replace(/^\[|\]$/g, ""),
      Number(address.slice(colon + 1)),
    );
  } catch (error) {
    throw new Error(`Failed to bind gRPC API server to ${address}: ${osMessage(error)}`, {
      cause: error,
    });
  }
  deps.log.info(target, `GRPC API server bound to ${address}.`);
  deps.log.info(target, `GRPC API server started on ${address}.`);
  return {
    notServing: () => health.stop(),
    close: () => {
      deps.log.info(target, "GRPC API server shutting down.");
      server.close();
    },
  };
}

/** grpc.health.v1.Health for the service "": Check and Watch. */
class Health {
  readonly #stopped = new AbortController();

  get serving(): boolean {
    return !this.#stopped.signal.aborted;
  }

  stop(): void {
    this.#stopped.abort();
  }

  handlers(): readonly (readonly [string, Handler])[] {
    // A HealthCheckResponse: field 1, SERVING or NOT_SERVING.
    const status = (): Uint8Array => Uint8Array.of(8, this.serving ? 1 : 2);
    const check: Handler = async (request, send) => {
      await Promise.resolve();
      if (serviceOf(request) !== "")
        throw new GrpcError(grpcStatus.notFound, "service not registered");
      send(status());
    };
    const watch: Handler = async (request, send, signal) => {
      await check(request, send, signal);
      if (!this.serving) return;
      const either = AbortSignal.any([signal, this.#stopped.signal]);
      await once(either, "abort");
      if (!signal.aborted) send(status());
      await once(signal, "abort");
    };
    return [
      ["/grpc.health.v1.Health/Check", check],
      ["/grpc.health.v1.Health/Watch", watch],
    ];
  }
}

/** The `service` of a HealthCheckRequest. */
function serviceOf(request: Uint8Array): string {
  const reader = new BinaryReader(request);
  return request.length === 0 || reader.tag()[0] !== 1 ? "" : reader.string();
}

/** A handler in terms of messages. */
function rpc<I extends DescMessage, O extends DescMessage>(
  method: DescMethod & { readonly input: I; readonly output: O },
  answer: (
    request: MessageShape<I>,
    send: (message: MessageInitShape<O>) => void,
    signal: AbortSignal,
  ) => Promise<void> | void,
): readonly [string, Handler] {
  const handler: Handler = async (request, send, signal) => {
    const decoded = fromBinary(method.input, request);
    await answer(
      decoded,
      (message) => send(toBinary(method.output, create(method.output, message))),
      signal,
    );
  };
  return [`/${method.parent.typeName}/${method.name}`, handler];
}

/** Runs a step at once and then each interval, until the client leaves. */
async function everyInterval(
  intervalMs: number,
  signal: AbortSignal,
  step: () => void,
): Promise<void> {
  if (intervalMs < 100)
    throw new GrpcError(grpcStatus.invalidArgument, "interval_ms must be >= 100");
  while (!signal.aborted) {
    step();
    // The client's leaving ends the pause and with it the loop.
    await delay(intervalMs, undefined, { signal }).catch(() => {});
  }
}

function observability(deps: ApiDeps): readonly (readonly [string, Handler])[] {
  const { method } = ObservabilityService;
  return [
    rpc(method.getMeta, (_, send) => send({ version: deps.versionLine, hostname: hostname() })),
    rpc(method.getComponents, ({ limit }, send) => {
      const all = componentsOf(deps);
      send({ components: limit > 0 ? all.slice(0, limit) : all });
    }),
    rpc(method.streamHeartbeat, ({ intervalMs }, send, signal) =>
      everyInterval(intervalMs, signal, () =>
        send({ utc: timestampFromDate(new Date(Math.floor(Date.now() / 1000) * 1000)) }),
      ),
    ),
    rpc(method.streamUptime, ({ intervalMs }, send, signal) =>
      everyInterval(intervalMs, signal, () =>
        send({ uptimeSeconds: BigInt(Math.floor(process.uptime())) }),
      ),
    ),
    rpc(method.streamComponentMetrics, ({ intervalMs, metric }, send, signal) => {
      const step = metricStep(deps.registry, metric, intervalMs, send);
      return everyInterval(intervalMs, signal, step);
    }),
    rpc(
      method.streamOutputEvents,
      async ({ outputsPatterns, inputsPatterns, limit, intervalMs }, send, signal) => {
        if (limit <= 0)
          throw new GrpcError(
            grpcStatus.invalidArgument,
            "limit must be >= 1 (controls reservoir size and channel capacity)",
          );
        if (limit > 100_000)
          throw new GrpcError(grpcStatus.invalidArgument, "limit must be <= 100000");
        const patterns = {
          outputs: [...new Set(outputsPatterns)],
          inputs: [...new Set(inputsPatterns)],
        };
        const notify = (message: string): void =>
          send({ event: { case: "notification", value: { message } } });
        const reservoir = new Reservoir(limit);
        let match = matchTaps(patterns, []);
        const look = (): void => {
          const before = match.matched;
          match = matchTaps(patterns, deps.topology.components);
          for (const pattern of match.matched)
            if (!before.has(pattern)) notify(`[tap] Pattern '${pattern}' successfully matched.`);
          for (const pattern of [...patterns.outputs, ...patterns.inputs]) {
            if (!match.matched.has(pattern))
              notify(
                `[tap] Pattern '${pattern}' failed to match: will retry on configuration reload.`,
              );
          }
          match.warnings.forEach(notify);
        };
        const remove = deps.topology.taps.add({
          events: (outputId, componentId, events) => {
            if (match.taps(outputId))
              for (const event of events) reservoir.add({ componentId, event });
          },
          changed: look,
        });
        try {
          if (intervalMs >= 100) look();
          await everyInterval(intervalMs, signal, () => {
            for (const { componentId, event } of reservoir.flush()) {
              const component = deps.topology.components.find(({ id }) => id === componentId);
              const kind = component?.kind ?? "source";
              send({
                event: {
                  case: "tappedEvent",
                  value: {
                    componentId,
                    componentType: component?.type ?? "",
                    componentKind: kind,
                    event: toEventWrapper(event),
                  },
                },
              });
            }
          });
        } finally {
          remove();
        }
      },
    ),
  ];
}

const totalsNames = {
  receivedBytesTotal: "component_received_bytes_total",
  receivedEventsTotal: "component_received_events_total",
  sentBytesTotal: "component_sent_bytes_total",
  sentEventsTotal: "component_sent_events_total",
} as const;

function componentsOf({ topology, registry }: ApiDeps) {
  const types = {
    source: ComponentType.SOURCE,
    transform: ComponentType.TRANSFORM,
    sink: ComponentType.SINK,
  } as const;
  const totals = Object.entries(totalsNames).map(
    ([field, name]) => [field, registry.totals(name)] as const,
  );
  return topology.components
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((component) => {
      const sent = registry.sentByOutput(component.id);
      return {
        componentId: component.id,
        componentType: types[component.kind],
        onType: component.type,
        outputs: outputsOf(component).map(({ port = "_default" }) => ({
          outputId: port,
          sentEventsTotal: BigInt(sent.get(port) ?? 0),
        })),
        metrics: Object.fromEntries(
          totals.flatMap(([field, sums]) => {
            const sum = sums.get(component.id);
            return sum === undefined ? [] : [[field, BigInt(sum)]];
          }),
        ),
      };
    });
}

const streamed: Readonly<Record<number, readonly [name: string, kind: "total" | "throughput"]>> = {
  [MetricName.RECEIVED_EVENTS_THROUGHPUT]: [totalsNames.receivedEventsTotal, "throughput"],
  [MetricName.SENT_EVENTS_THROUGHPUT]: [totalsNames.sentEventsTotal, "throughput"],
  [MetricName.RECEIVED_BYTES_THROUGHPUT]: [totalsNames.receivedBytesTotal, "throughput"],
  [MetricName.SENT_BYTES_THROUGHPUT]: [totalsNames.sentBytesTotal, "throughput"],
  [MetricName.RECEIVED_EVENTS_TOTAL]: [totalsNames.receivedEventsTotal, "total"],
  [MetricName.SENT_EVENTS_TOTAL]: [totalsNames.sentEventsTotal, "total"],
  [MetricName.RECEIVED_BYTES_TOTAL]: [totalsNames.receivedBytesTotal, "total"],
  [MetricName.SENT_BYTES_TOTAL]: [totalsNames.sentBytesTotal, "total"],
  [MetricName.ERRORS_TOTAL]: ["component_errors_total", "total"],
};

/** One tick of a metric stream: a message per component. A throughput needs the tick before. */
function metricStep(
  registry: Registry,
  metric: number,
  intervalMs: number,
  send: (message: MessageInitShape<typeof StreamComponentMetricsResponseSchema>) => void,
): () => void {
  const [name, kind] = streamed[metric] ?? [];
  if (name === undefined)
    throw new GrpcError(grpcStatus.invalidArgument, "metric must be specified");
  const perOutput = name === totalsNames.sentEventsTotal;
  const outputsOfComponent = (id: string, total: number): ReadonlyMap<string, number> => {
    const outputs = registry.sentByOutput(id);
    return outputs.size > 0 ? outputs : new Map([["_default", total]]);
  };
  let before = new Map<string, number>();
  return () => {
    const totals = registry.totals(name);
    const seen = new Map(totals);
    const rate = (key: string, value: number): number =>
      Math.max(0, ((value - (before.get(key) ?? value)) * 1000) / intervalMs);
    for (const [componentId, total] of totals) {
      const outputs = perOutput ? [...outputsOfComponent(componentId, total)] : [];
      for (const [output, value] of outputs) seen.set(`${componentId}\n${output}`, value);
      if (kind === "total") {
        const outputTotals = Object.fromEntries(
          outputs.map(([output, value]) => [output, BigInt(value)]),
        );
        send({
          componentId,
          value: { case: "total", value: { value: BigInt(total), outputTotals } },
        });
      } else if (before.has(componentId)) {
        const outputThroughputs = Object.fromEntries(
          outputs.map(([output, value]) => [output, rate(`${componentId}\n${output}`, value)]),
        );
        send({
          componentId,
          value: {
            case: "throughput",
            value: { value: rate(componentId, total), outputThroughputs },
          },
        });
      }
    }
    before = seen;
  };
}
