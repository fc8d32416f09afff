import type { VrlValue } from "#vrl/vrl.ts";
import { isRecord } from "../configuration/graph.ts";

/** A log event as programs see it: timestamps are `{"$date": text}`, see `VrlValue`. */
export interface TrialEvent {
  readonly value: VrlValue;
  /** The place of the event from which it came among those that were put in at the same component. */
  readonly origin: number;
}

const timestampPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * An event as a tap writes it. JSON has no timestamps: the one that Vector gives every log is one again, all others
 * stay texts. Undefined for what is no log.
 */
export function eventFromJson(json: string, origin: number): TrialEvent | undefined {
  const value: unknown = JSON.parse(json);
  if (!isRecord(value) || isMetric(value)) return undefined;
  const { timestamp } = value;
  const at =
    typeof timestamp === "string" && timestampPattern.test(timestamp) ? { $date: timestamp } : {};
  return {
    value: { ...value, ...("$date" in at ? { timestamp: at } : {}) } as VrlValue,
    origin,
  };
}

/** A metric as Vector writes it as JSON. */
function isMetric(value: Readonly<Record<string, unknown>>): boolean {
  const values = ["counter", "gauge", "set", "distribution", "aggregated_histogram"];
  return (
    typeof value["name"] === "string" &&
    (value["kind"] === "absolute" || value["kind"] === "incremental") &&
    [...values, "aggregated_summary", "sketch"].some((name) => name in value)
  );
}

/** A value as JSON for people, with timestamps as texts. */
export function toJson(value: VrlValue): string {
  return JSON.stringify(plain(value));
}

function plain(value: VrlValue): unknown {
  if (Array.isArray(value)) return value.map((item: VrlValue) => plain(item));
  if (!isRecord(value)) return value;
  const members = Object.entries(value as Readonly<Record<string, VrlValue>>);
  const [only] = members;
  if (members.length === 1 && only?.[0] === "$date") return only[1];
  // Its order says nothing, and two events with the same members must be the same text.
  return Object.fromEntries(
    members.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, plain(member)]),
  );
}
