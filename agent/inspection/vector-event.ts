import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  Metric_Kind,
  type EventWrapper,
  type Log,
  type Metric,
  type Value,
} from "#gen/vector/event_pb.ts";
import { EventTime, type EventMap, type EventValue } from "./event-value.ts";

const maxDepth = 128;

/** An event of Vector's API without its metadata, which carries secrets. Undefined for an unknown kind. */
export function decodeEvent(wrapper: EventWrapper): EventValue | undefined {
  const { event } = wrapper;
  switch (event.case) {
    case "log":
      return logValue(event.value);
    case "trace":
      return mapOf(event.value.fields, 0);
    case "metric":
      return metricValue(event.value);
    default:
      return undefined;
  }
}

/** A log whose root is no object comes in `value`, beside a dummy field. */
function logValue(log: Log): EventValue {
  return log.value === undefined ? mapOf(log.fields, 0) : valueOf(log.value, 0);
}

function mapOf(fields: Readonly<Record<string, Value>>, depth: number): EventMap {
  const entries = Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return new Map(entries.map(([key, value]) => [key, valueOf(value, depth + 1)]));
}

function valueOf(value: Value, depth: number): EventValue {
  const { kind } = value;
  if (depth > maxDepth) return "[cut: nested too deep]";
  switch (kind.case) {
    case "rawBytes":
      return textOf(kind.value);
    case "timestamp":
      return timeOf(kind.value);
    case "integer":
    case "float":
    case "boolean":
      return kind.value;
    case "map":
      return mapOf(kind.value.fields, depth);
    case "array":
      return kind.value.items.map((item) => valueOf(item, depth + 1));
    default:
      return null;
  }
}

/** Texts of events may be any bytes (P12). */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

function timeOf(time: Timestamp): EventTime {
  const seconds = new Date(Number(time.seconds) * 1000);
  if (Number.isNaN(seconds.getTime())) return new EventTime("[not a time]");
  const fraction =
    time.nanos === 0
      ? ""
      : `.${String(time.nanos)
          .padStart(9, "0")
          .replace(/(?:000)+$/, "")}`;
  return new EventTime(seconds.toISOString().replace(".000Z", `${fraction}Z`));
}

/** A metric as Vector itself writes it in JSON. */
function metricValue(metric: Metric): EventMap {
  const fields = new Map<string, EventValue>([["name", metric.name]]);
  if (metric.namespace !== "") fields.set("namespace", metric.namespace);
  const tags = Object.entries(metric.tagsV1).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (tags.length > 0) fields.set("tags", new Map(tags));
  if (metric.timestamp !== undefined) fields.set("timestamp", timeOf(metric.timestamp));
  fields.set("kind", metric.kind === Metric_Kind.Absolute ? "absolute" : "incremental");
  const [name, value] = measured(metric);
  if (name !== "") fields.set(name, value);
  return fields;
}

function measured(metric: Metric): readonly [string, EventValue] {
  const { value } = metric;
  const list = (items: readonly (readonly (readonly [string, EventValue])[])[]): EventValue =>
    items.map((item) => new Map(item));
  switch (value.case) {
    case "counter":
    case "gauge":
      return [value.case, new Map([["value", value.value.value]])];
    case "set":
      return ["set", new Map([["values", value.value.values]])];
    case "distribution2": {
      const samples = value.value.samples.map(
        (sample) =>
          [
            ["value", sample.value],
            ["rate", BigInt(sample.rate)],
          ] as const,
      );
      return ["distribution", new Map([["samples", list(samples)]])];
    }
    case "sketch": {
      const sketch = value.value.agentDdSketch;
      if (sketch === undefined) return ["sketch", null];
      const { count, min, max, sum, avg } = sketch;
      const entries = Object.entries({ count: BigInt(count), min, max, sum, avg });
      return ["sketch", new Map<string, EventValue>(entries)];
    }
    case "aggregatedHistogram3": {
      const { buckets, count, sum } = value.value;
      const counted = buckets.map(
        (bucket) =>
          [
            ["upper_limit", bucket.upperLimit],
            ["count", bucket.count],
          ] as const,
      );
      const entries = Object.entries({ buckets: list(counted), count, sum });
      return ["aggregated_histogram", new Map<string, EventValue>(entries)];
    }
    case "aggregatedSummary3": {
      const { quantiles, count, sum } = value.value;
      const ranked = quantiles.map(
        (quantile) =>
          [
            ["quantile", quantile.quantile],
            ["value", quantile.value],
          ] as const,
      );
      const entries = Object.entries({ quantiles: list(ranked), count, sum });
      return ["aggregated_summary", new Map<string, EventValue>(entries)];
    }
    default:
      return ["", null];
  }
}
