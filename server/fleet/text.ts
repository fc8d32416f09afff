/**
 * What makes a text show as another than it is: control characters, which move a terminal's cursor or ring its
 * bell, and marks that turn the direction of all that follows. Tabs and line breaks are what they are.
 */
// oxlint-disable-next-line no-control-regex -- that is what is replaced
const deceptive = /\r(?!\n)|[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
// oxlint-disable-next-line no-control-regex -- line breaks have no place in a name
const breaking = /[\t\r\n\u2028\u2029]/g;

/**
 * A text from a host as it can be stored and shown: without characters that deceive, without lone surrogates, and
 * bounded (P12).
 */
export function clean(text: string, maximumLength: number): string {
  return text.slice(0, maximumLength).replaceAll(deceptive, "\uFFFD").toWellFormed();
}

/** The same for what stands in one line: names, ids, labels, versions. */
export function cleanName(text: string, maximumLength: number): string {
  return clean(text, maximumLength).replaceAll(breaking, "\uFFFD");
}

/** A number from a host, or null when it is none. */
export function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

/** A counter from a host, as a number that the database and the wire take. */
export function counter(value: bigint | number): number {
  return Math.min(Math.max(finite(Number(value)) ?? 0, 0), Number.MAX_SAFE_INTEGER);
}

/** A moment from a host, or null when no calendar has it. */
export function momentOf(seconds: bigint, nanos: number): Date | null {
  const at = new Date(Number(seconds) * 1000 + Math.floor(nanos / 1_000_000));
  const year = at.getUTCFullYear();
  return year >= 1970 && year <= 9999 ? at : null;
}

/** A whole number from a host that fits the database's integer. */
export function whole(value: number | undefined): number {
  return Math.round(Math.min(Math.max(finite(value) ?? 0, 0), 2_147_483_647));
}
