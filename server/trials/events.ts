import { parseVrlJson, vrlFields, vrlObject, type VrlFields, type VrlValue } from "#vrl/values.ts";
import type { VrlEvent } from "#vrl/vrl.ts";
import type { DataType } from "../configuration/catalogue.ts";

/** A log event as it goes from program to program. */
export interface TrialEvent extends VrlEvent {
  /** The place of the event from which it came among those that were put in at the same component. */
  readonly origin: number;
}

/** An event as it begins. */
export function newEvent(value: VrlValue, origin: number, metadata: VrlValue = {}): TrialEvent {
  return { value, metadata, secrets: {}, origin };
}

/** An event that was sampled of a component. */
export interface SampledEvent {
  /** By which of its outputs a source emits it that has one for each kind of signal. */
  readonly signal: "logs" | "metrics" | "traces";
  /** Undefined for what is no log. */
  readonly log: TrialEvent | undefined;
}

const timestampPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * An event as a tap writes it, of a component that emits `types`. JSON has no timestamps: the one that Vector gives
 * every log is one again, all others stay texts.
 */
export function sampledEvent(
  json: string,
  origin: number,
  types: readonly DataType[],
): SampledEvent {
  const fields = vrlFields(parseVrlJson(json));
  if (fields === undefined) return { signal: "logs", log: undefined };
  if (types.includes("metric") && isMetric(fields)) return { signal: "metrics", log: undefined };
  if (types.includes("trace") && isTrace(fields)) return { signal: "traces", log: undefined };
  const { timestamp } = fields;
  const isTime = typeof timestamp === "string" && timestampPattern.test(timestamp);
  const value = vrlObject(isTime ? { ...fields, timestamp: { $date: timestamp } } : fields);
  // OTLP that is left in its own shape is a log.
  return { signal: "resourceMetrics" in fields ? "metrics" : "logs", log: newEvent(value, origin) };
}

/** A metric as Vector writes it as JSON. */
function isMetric(fields: VrlFields): boolean {
  const values = ["counter", "gauge", "set", "distribution", "aggregated_histogram"];
  return (
    typeof fields["name"] === "string" &&
    (fields["kind"] === "absolute" || fields["kind"] === "incremental") &&
    [...values, "aggregated_summary", "sketch"].some((name) => name in fields)
  );
}

/** A trace by the fields that Vector's sources of traces give it: nothing else tells it from a log. */
function isTrace(fields: VrlFields): boolean {
  return (
    ("spans" in fields && "payload_version" in fields) ||
    "start_time_unix_nano" in fields ||
    "resourceSpans" in fields
  );
}
