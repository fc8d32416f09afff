import { DomainError } from "../errors.ts";

/** The years 1684 to 2255: far from where dates of JavaScript or of the database end. */
const maximumTimeMs = 9e12;

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
  return isText(name) && isText(id);
}

/** A place in a list that is sorted by something that only one row has, as a name or an e-mail. */
export function isText(place: unknown): place is string {
  // No text of the database holds a NUL, and no query may.
  return typeof place === "string" && !place.includes("\0");
}

/** A place in a list that is sorted by time: milliseconds, and the id among those of one moment. */
export function isTimePlace(place: unknown): place is readonly [at: number, id: string] {
  return Array.isArray(place) && isTime(place[0]) && isText(place[1]);
}

function isTime(value: unknown): boolean {
  return Number.isSafeInteger(value) && Math.abs(value as number) <= maximumTimeMs;
}

/** Cuts a page out of its rows, of which one more than its size was read to know whether that is all. */
export function pageOf<T>(
  rows: readonly T[],
  size: number,
  placeOf: (last: T) => unknown,
): { readonly page: readonly T[]; readonly nextPageToken: string } {
  const page = rows.slice(0, size);
  const last = page.at(-1);
  const more = rows.length > size && last !== undefined;
  return { page, nextPageToken: more ? encodePageToken(placeOf(last)) : "" };
}

/** The number of rows to give: the default for 0, and never more than the maximum. */
export function pageSize(asked: number, fallback: number, maximum: number): number {
  return asked === 0 ? fallback : Math.min(asked, maximum);
}
