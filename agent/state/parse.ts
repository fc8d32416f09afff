/** Narrowing for what is read from disk: each throws on anything but the expected shape. */

export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError("expected an object");
  }
  return value as Readonly<Record<string, unknown>>; // Keys of a JSON object are strings.
}

export function stringOf(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("expected a string");
  return value;
}

export function numberOf(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new TypeError("expected a number");
  return value;
}

export function arrayOf<T>(value: unknown, item: (value: unknown) => T): readonly T[] {
  if (!Array.isArray(value)) throw new TypeError("expected a list");
  return value.map(item);
}
