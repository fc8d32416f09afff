import { DomainError } from "../errors.ts";

/** Hides a place in a list from clients, which must not build on its form. */
export function encodePageToken(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** Reads a token back; undefined for the first page. Throws `invalid` when `accepts` does not know it. */
export function decodePageToken<T>(
  token: string,
  accepts: (place: unknown) => place is T,
): T | undefined {
  if (token === "") return undefined;
  try {
    const place: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    if (accepts(place)) return place;
  } catch {
    // Falls through to the same answer as a token of another shape.
  }
  throw new DomainError(
    "invalid",
    "page_token_invalid",
    "page_token is not one that this list gave",
  );
}

/** A place in a list that is sorted by name. */
export function isNamePlace(place: unknown): place is { name: string; id: string } {
  const { name, id } = (place ?? {}) as { name?: unknown; id?: unknown };
  return typeof name === "string" && typeof id === "string";
}

/** A place in a list that is sorted by time: milliseconds, and the id among those of one moment. */
export function isTimePlace(place: unknown): place is readonly [at: number, id: string] {
  return Array.isArray(place) && typeof place[0] === "number" && typeof place[1] === "string";
}

/** The number of rows to give: the default for 0, and never more than the maximum. */
export function pageSize(asked: number, fallback: number, maximum: number): number {
  return asked === 0 ? fallback : Math.min(asked, maximum);
}
