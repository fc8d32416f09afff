/** A moment in an event, as RFC 3339 with up to nine digits of the second. */
export class EventTime {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A value that a redaction rule took away. What it was is kept as a type alone. */
export class Redacted {
  readonly type: ValueType;

  constructor(type: ValueType) {
    this.type = type;
  }
}

/**
 * A value in an event: integers are bigints and floats are numbers, so that 1 and 1.0 stay apart; maps
 * are Maps, so that a field may have any name.
 */
export type EventValue =
  | null
  | boolean
  | string
  | bigint
  | number
  | EventTime
  | Redacted
  | readonly EventValue[]
  | EventMap;

export type EventMap = ReadonlyMap<string, EventValue>;

export type ValueType =
  | "string"
  | "integer"
  | "float"
  | "boolean"
  | "timestamp"
  | "array"
  | "object"
  | "null";

export function isList(value: EventValue): value is readonly EventValue[] {
  return Array.isArray(value);
}

export function typeOf(value: EventValue): ValueType {
  if (value === null) return "null";
  if (value instanceof EventTime) return "timestamp";
  if (value instanceof Redacted) return value.type;
  if (isList(value)) return "array";
  switch (typeof value) {
    case "string":
      return "string";
    case "bigint":
      return "integer";
    case "number":
      return "float";
    case "boolean":
      return "boolean";
    default:
      return "object";
  }
}
