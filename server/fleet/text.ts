/**
 * A text from a host as the database can hold it: without zero characters and lone surrogates, and
 * bounded (P12).
 */
export function clean(text: string, maximumLength: number): string {
  return text.slice(0, maximumLength).replaceAll("\0", "\uFFFD").toWellFormed();
}

/** A number from a host, or null when it is none. */
export function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

/** A whole number from a host that fits the database's integer. */
export function whole(value: number | undefined): number {
  return Math.round(Math.min(Math.max(finite(value) ?? 0, 0), 2_147_483_647));
}
