import {
  EventTime,
  isList,
  Redacted,
  typeOf,
  type EventValue,
  type ValueType,
} from "./event-value.ts";

/** One field of sampled events. */
export interface FieldFacts {
  /** As in VRL: `.user.name`, `."odd key"`, `.items[].id`; `.` is the event itself. */
  readonly path: string;
  /** Every type that was seen, in a fixed order. */
  readonly types: readonly ValueType[];
  /** In how many events it occurs. */
  readonly eventCount: number;
}

const order: readonly ValueType[] = [
  "string",
  "integer",
  "float",
  "boolean",
  "timestamp",
  "object",
  "array",
  "null",
];

const maxFields = 1000;
const maxDepth = 16;
const maxPathLength = 512;
const maxItems = 1000;

/**
 * Gathers which fields events have and of which types, with integers apart from floats and lists
 * descended. Bounded: what is beyond a thousand fields or sixteen levels is left out.
 */
export class SchemaInference {
  readonly #fields = new Map<string, { readonly types: Set<ValueType>; events: number }>();

  add(event: EventValue): void {
    const seen = new Set<string>();
    this.#walk(event, "", 0, seen);
  }

  fields(): readonly FieldFacts[] {
    return [...this.#fields]
      .map(([path, { types, events }]) => ({
        path,
        types: order.filter((type) => types.has(type)),
        eventCount: events,
      }))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  #walk(value: EventValue, path: string, depth: number, seen: Set<string>): void {
    this.#note(value, path === "" ? "." : path, seen);
    if (depth >= maxDepth || value === null || typeof value !== "object") return;
    if (value instanceof EventTime || value instanceof Redacted) return;
    if (isList(value)) {
      const inside = path === "" ? ".[]" : `${path}[]`;
      for (const item of value.slice(0, maxItems)) this.#walk(item, inside, depth + 1, seen);
      return;
    }
    for (const [key, item] of value) {
      this.#walk(item, `${path}.${fieldName(key)}`, depth + 1, seen);
    }
  }

  #note(value: EventValue, path: string, seen: Set<string>): void {
    if (path.length > maxPathLength) return;
    let field = this.#fields.get(path);
    if (field === undefined) {
      if (this.#fields.size === maxFields) return;
      field = { types: new Set(), events: 0 };
      this.#fields.set(path, field);
    }
    field.types.add(typeOf(value));
    if (seen.has(path)) return;
    seen.add(path);
    field.events += 1;
  }
}

/** A name as a segment of a VRL path. */
function fieldName(key: string): string {
  return /^[A-Za-z0-9_@]+$/.test(key)
    ? key
    : JSON.stringify(key.toWellFormed().replaceAll("\0", "\uFFFD"));
}
