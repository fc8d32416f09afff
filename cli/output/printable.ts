/** Cc without the line feed, and what changes the direction of text, so that it reads as something else. */
const obeyed = /[^\P{Cc}\n]|[\p{Bidi_Control}\u2028\u2029]/gu;

/** A text of the server or of a file without what a terminal would obey; lines stay lines. */
export function printable(text: string): string {
  return text.toWellFormed().replaceAll("\t", "  ").replaceAll(obeyed, "\uFFFD");
}
