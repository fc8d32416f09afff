import type { Series } from "./prometheus.ts";
import { isReserved } from "./reserved.ts";

export type ComponentKind = "source" | "transform" | "sink";

/** What one component did between two readings, summed over all its series (S1). */
export interface ComponentDelta {
  readonly componentId: string;
  readonly kind: ComponentKind;
  readonly type: string;
  receivedEvents: number;
  sentEvents: number;
  receivedBytes: number;
  sentBytes: number;
  /** Dropped because the configuration says so. */
  discardedIntentional: number;
  discardedUnintentional: number;
  errors: number;
  utilization: number | undefined;
  latencyMeanMs: number | undefined;
  readonly sentByOutput: Map<string, number>;
}

/** Counter values by series, as of the last reading of one run of a process. */
export type Reading = ReadonlyMap<string, number>;

const kinds: ReadonlyMap<string, ComponentKind> = new Map([
  ["source", "source"],
  ["transform", "transform"],
  ["sink", "sink"],
]);

/** Network bytes if the component counts them, the size of its events otherwise. */
interface Bytes {
  network: number | undefined;
  events: number;
}

/**
 * The difference between a page and the reading before it. A process starts at zero, so that its
 * first reading counts whole. A series that shrank or came back has expired in between and started
 * anew: its value is the difference. Injected components are in no sum.
 */
export function countersSince(
  before: Reading,
  page: readonly Series[],
): { readonly reading: Reading; readonly components: readonly ComponentDelta[] } {
  const reading = new Map<string, number>();
  const components = new Map<string, ComponentDelta>();
  const received = new Map<ComponentDelta, Bytes>();
  const sent = new Map<ComponentDelta, Bytes>();
  for (const series of page) {
    const component = componentFor(series, components);
    if (component === undefined) continue;
    const name = series.name.replace(/^vector_/, "");
    if (!name.endsWith("_total")) {
      addGauge(component, name, series.value);
      continue;
    }
    const key = keyOf(series);
    const earlier = before.get(key) ?? 0;
    reading.set(key, series.value);
    const delta = series.value >= earlier ? series.value - earlier : series.value;
    addCounter(component, name, series.labels, delta);
    addBytes(received.getOrInsertComputed(component, noBytes), name, "received", delta);
    addBytes(sent.getOrInsertComputed(component, noBytes), name, "sent", delta);
  }
  for (const [component, bytes] of received)
    component.receivedBytes = bytes.network ?? bytes.events;
  for (const [component, bytes] of sent) component.sentBytes = bytes.network ?? bytes.events;
  return { reading, components: [...components.values()] };
}

function noBytes(): Bytes {
  return { network: undefined, events: 0 };
}

function keyOf(series: Series): string {
  return JSON.stringify([
    series.name,
    ...[...series.labels].toSorted(([a], [b]) => a.localeCompare(b)).flat(),
  ]);
}

function componentFor(
  series: Series,
  components: Map<string, ComponentDelta>,
): ComponentDelta | undefined {
  const id = series.labels.get("component_id");
  const kind = kinds.get(series.labels.get("component_kind") ?? "");
  if (id === undefined || kind === undefined || isReserved(id)) return undefined;
  return components.getOrInsertComputed(id, () => ({
    componentId: id,
    kind,
    type: series.labels.get("component_type") ?? "",
    receivedEvents: 0,
    sentEvents: 0,
    receivedBytes: 0,
    sentBytes: 0,
    discardedIntentional: 0,
    discardedUnintentional: 0,
    errors: 0,
    utilization: undefined,
    latencyMeanMs: undefined,
    sentByOutput: new Map(),
  }));
}

function addGauge(component: ComponentDelta, name: string, value: number): void {
  if (!Number.isFinite(value)) return;
  if (name === "utilization") component.utilization = Math.min(1, Math.max(0, value));
  if (name === "component_latency_mean_seconds") component.latencyMeanMs = value * 1_000;
}

function addCounter(
  component: ComponentDelta,
  name: string,
  labels: ReadonlyMap<string, string>,
  delta: number,
): void {
  switch (name) {
    case "component_received_events_total":
      component.receivedEvents += delta;
      break;
    case "component_sent_events_total": {
      component.sentEvents += delta;
      const output = labels.get("output");
      if (output === undefined || output === "_default") break;
      component.sentByOutput.set(output, (component.sentByOutput.get(output) ?? 0) + delta);
      break;
    }
    case "component_discarded_events_total":
      if (labels.get("intentional") === "true") component.discardedIntentional += delta;
      else component.discardedUnintentional += delta;
      break;
    case "component_errors_total":
      component.errors += delta;
      break;
  }
}

function addBytes(bytes: Bytes, name: string, way: "received" | "sent", delta: number): void {
  if (name === `component_${way}_bytes_total`) bytes.network = (bytes.network ?? 0) + delta;
  if (name === `component_${way}_event_bytes_total`) bytes.events += delta;
}

/** Joins two deltas of the same run of a process, the later one's gauges winning. */
export function joinDeltas(
  earlier: readonly ComponentDelta[],
  later: readonly ComponentDelta[],
): readonly ComponentDelta[] {
  const joined = new Map(earlier.map((delta) => [delta.componentId, delta]));
  for (const delta of later) {
    const before = joined.get(delta.componentId);
    joined.set(delta.componentId, before === undefined ? delta : join(before, delta));
  }
  return [...joined.values()];
}

function join(a: ComponentDelta, b: ComponentDelta): ComponentDelta {
  const sentByOutput = new Map(a.sentByOutput);
  for (const [output, count] of b.sentByOutput) {
    sentByOutput.set(output, (sentByOutput.get(output) ?? 0) + count);
  }
  return {
    ...b,
    receivedEvents: a.receivedEvents + b.receivedEvents,
    sentEvents: a.sentEvents + b.sentEvents,
    receivedBytes: a.receivedBytes + b.receivedBytes,
    sentBytes: a.sentBytes + b.sentBytes,
    discardedIntentional: a.discardedIntentional + b.discardedIntentional,
    discardedUnintentional: a.discardedUnintentional + b.discardedUnintentional,
    errors: a.errors + b.errors,
    utilization: b.utilization ?? a.utilization,
    latencyMeanMs: b.latencyMeanMs ?? a.latencyMeanMs,
    sentByOutput,
  };
}
