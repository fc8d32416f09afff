import type { Span } from "./log.ts";
import { sizeOfAll, type SimEvent } from "./event.ts";

export type Tags = Readonly<Record<string, string>>;

export interface Sample {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly tags: Tags;
  readonly value: number;
}

interface Counter {
  readonly name: string;
  readonly tags: Tags;
  value: number;
}

interface Gauge {
  readonly name: string;
  readonly tags: Tags;
  readonly read: () => number;
}

/** Series of components that are gone stay this long, as Vector's expiry has it. */
const expiryMs = 300_000;

/** All counters and gauges of the process. Counters survive reloads. */
export class Registry {
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #retiredAt = new Map<string, number>();

  counter(name: string, tags: Tags): (by: number) => void {
    const key = JSON.stringify([name, tags]);
    const counter = this.#counters.getOrInsert(key, { name, tags, value: 0 });
    return (by) => {
      counter.value += by;
    };
  }

  gauge(name: string, tags: Tags, read: () => number): void {
    this.#gauges.set(JSON.stringify([name, tags]), { name, tags, read });
  }

  /** The component is gone: its gauges end now, its counters after the expiry. */
  retire(componentId: string): void {
    this.#retiredAt.set(componentId, Date.now());
    for (const [key, { tags }] of this.#gauges) {
      if (tags["component_id"] === componentId) this.#gauges.delete(key);
    }
  }

  /** The component is there (again). */
  adopt(componentId: string): void {
    this.#retiredAt.delete(componentId);
  }

  snapshot(): readonly Sample[] {
    for (const [key, { tags }] of this.#counters) {
      const retired = this.#retiredAt.get(tags["component_id"] ?? "");
      if (retired !== undefined && Date.now() - retired > expiryMs) this.#counters.delete(key);
    }
    return [
      ...[...this.#counters.values()].map(({ name, tags, value }) => ({
        name,
        tags,
        value,
        type: "counter" as const,
      })),
      ...[...this.#gauges.values()].map(({ name, tags, read }) => ({
        name,
        tags,
        value: read(),
        type: "gauge" as const,
      })),
    ];
  }

  /** The sums of a counter by component, over all its other tags. Undefined: never registered. */
  totals(name: string): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const counter of this.#counters.values()) {
      const id = counter.tags["component_id"];
      if (counter.name === name && id !== undefined)
        sums.set(id, (sums.get(id) ?? 0) + counter.value);
    }
    return sums;
  }

  /** The sent events of a component by output (`_default` or a port). */
  sentByOutput(componentId: string): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const { name, tags, value } of this.#counters.values()) {
      const output = tags["output"];
      if (
        name === "component_sent_events_total" &&
        tags["component_id"] === componentId &&
        output !== undefined
      ) {
        sums.set(output, value);
      }
    }
    return sums;
  }
}

export const componentTags = ({ id, kind, type }: Span): Tags => ({
  component_id: id,
  component_kind: kind,
  component_type: type,
});

/** The counters of one component, under the names and tags of Vector. */
export class Meter {
  readonly #registry: Registry;
  readonly #tags: Tags;

  constructor(registry: Registry, span: Span) {
    this.#registry = registry;
    this.#tags = componentTags(span);
    registry.adopt(span.id);
  }

  #add(name: string, by: number, tags: Tags = {}): void {
    this.#registry.counter(name, { ...this.#tags, ...tags })(by);
  }

  received(events: readonly SimEvent[]): void {
    this.#add("component_received_events_total", events.length);
    this.#add("component_received_event_bytes_total", sizeOfAll(events));
  }

  receivedBytes(protocol: string, bytes: number): void {
    this.#add("component_received_bytes_total", bytes, { protocol });
  }

  /** `output` is `_default` or a port; sinks have none. */
  sent(events: readonly SimEvent[], output?: string): void {
    const tags: Tags = output === undefined ? {} : { output };
    this.#add("component_sent_events_total", events.length, tags);
    this.#add("component_sent_event_bytes_total", sizeOfAll(events), tags);
  }

  sentBytes(protocol: string, bytes: number): void {
    this.#add("component_sent_bytes_total", bytes, { protocol });
  }

  discarded(count: number, intentional: boolean): void {
    if (count > 0)
      this.#add("component_discarded_events_total", count, { intentional: String(intentional) });
  }

  error(errorType: string, stage: "receiving" | "processing" | "sending", count = 1): void {
    this.#add("component_errors_total", count, { error_type: errorType, stage });
  }

  buffered(direction: "received" | "sent" | "discarded", events: readonly SimEvent[]): void {
    const id = this.#tags["component_id"] ?? "";
    const tags = {
      buffer_id: id,
      buffer_type: "memory",
      stage: "0",
      ...(direction === "discarded" ? { intentional: "true" } : {}),
    };
    this.#add(`buffer_${direction}_events_total`, events.length, tags);
    this.#add(`buffer_${direction}_bytes_total`, sizeOfAll(events), tags);
  }

  gauge(name: string, read: () => number, tags: Tags = {}): void {
    this.#registry.gauge(name, { ...this.#tags, ...tags }, read);
  }
}

/** The share of time a consumer did not wait for input, smoothed over the readings. */
export class Utilization {
  #waited = 0;
  #waitingSince: number | undefined;
  #readAt = performance.now();
  #value = 0;

  waits(): void {
    this.#waitingSince ??= performance.now();
  }

  works(): void {
    if (this.#waitingSince !== undefined) this.#waited += performance.now() - this.#waitingSince;
    this.#waitingSince = undefined;
  }

  read(): number {
    const now = performance.now();
    const span = now - this.#readAt;
    if (span < 1000) return this.#value;
    const waited =
      this.#waited +
      (this.#waitingSince === undefined ? 0 : now - Math.max(this.#waitingSince, this.#readAt));
    const busy = Math.min(1, Math.max(0, 1 - waited / span));
    this.#value = Math.round((0.9 * busy + 0.1 * this.#value) * 10_000) / 10_000;
    this.#waited = 0;
    if (this.#waitingSince !== undefined) this.#waitingSince = now;
    this.#readAt = now;
    return this.#value;
  }
}
