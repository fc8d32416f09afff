/** A value of a log event; its shape follows VRL's. */
export type Value =
  | string
  | number
  | boolean
  | null
  | Date
  | readonly Value[]
  | { readonly [key: string]: Value };
export type EventFields = Readonly<Record<string, Value>>;

/** Where an event came from; it travels along as metadata. */
export interface Origin {
  readonly sourceId: string;
  readonly sourceType: string;
}

export interface LogEvent {
  readonly kind: "log";
  readonly fields: EventFields;
  readonly origin: Origin;
}

export interface MetricEvent {
  readonly kind: "metric";
  readonly name: string;
  readonly namespace: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly timestamp: Date;
  readonly type: "counter" | "gauge";
  readonly value: number;
  readonly origin: Origin;
}

/** Events are never changed: they are shared between the consumers of an output. */
export type SimEvent = LogEvent | MetricEvent;

function sortedJson(value: Value): string {
  if (value instanceof Date) return JSON.stringify(value.toISOString());
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value as EventFields).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${sortedJson(inner)}`).join(",")}}`;
}

/** The JSON that Vector's `json` codec writes: keys are sorted. */
export function toJson(event: SimEvent): string {
  if (event.kind === "log") return sortedJson(event.fields);
  const { name, namespace, tags, timestamp, type, value } = event;
  return JSON.stringify({
    name,
    ...(namespace === undefined ? {} : { namespace }),
    tags,
    timestamp: timestamp.toISOString(),
    kind: "absolute",
    [type]: { value },
  });
}

/** What the `text` codec writes. */
export function toText(event: SimEvent): string {
  if (event.kind === "log") {
    const message = event.fields["message"];
    return typeof message === "string" ? message : message === undefined ? "" : sortedJson(message);
  }
  const tags = Object.entries(event.tags).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const name = event.namespace === undefined ? event.name : `${event.namespace}_${event.name}`;
  return `${event.timestamp.toISOString()} ${name}{${tags.join(",")}} = ${event.value}`;
}

const sizes = new WeakMap<SimEvent, number>();

/** The size that the `*_event_bytes_total` counters use: about that of the JSON form. */
export function sizeOf(event: SimEvent): number {
  let size = sizes.get(event);
  if (size === undefined) {
    size = toJson(event).length;
    sizes.set(event, size);
  }
  return size;
}

export const sizeOfAll = (events: readonly SimEvent[]): number =>
  events.reduce((sum, event) => sum + sizeOf(event), 0);
