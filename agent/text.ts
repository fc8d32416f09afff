const cutMark = "…";
const encoder = new TextEncoder();

/**
 * Makes a text fit for the wire (P12): well-formed, without NUL (which PostgreSQL cannot store), and
 * at most `maxBytes` of UTF-8, cut between characters and marked when cut.
 */
export function boundedText(text: string, maxBytes: number): string {
  const clean = text.toWellFormed().replaceAll("\0", "\uFFFD");
  // A UTF-16 unit is at most three bytes of UTF-8, so that most texts need no measuring.
  if (clean.length * 3 <= maxBytes || Buffer.byteLength(clean) <= maxBytes) return clean;
  const room = new Uint8Array(Math.max(0, maxBytes - Buffer.byteLength(cutMark)));
  return clean.slice(0, encoder.encodeInto(clean, room).read) + cutMark;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return Error.isError(error) ? error.message : String(error);
}
