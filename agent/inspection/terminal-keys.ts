const escape = "\u001b";

/** What arrives from a terminal, one thing at a time; a sequence is taken whole, so that no part passes. */
const things = new RegExp(
  [
    `${escape}\\[M[^]{0,3}`, // A mouse report of the old kind.
    `${escape}\\[[0-?]*[ -/]*[@-~]?`, // A control sequence: arrows, paging, mouse, answers.
    `${escape}O[^]?`, // An arrow in application mode, or a function key.
    `${escape}[\\]PX^_][^\\u0007${escape}]*(?:\\u0007|${escape}\\\\)?`, // A string of a terminal.
    `${escape}[^${escape}]`, // A key with Alt.
    "[^]",
  ].join("|"),
  "g",
);

/** Arrows, Home and End; paging. */
const moves = new RegExp(`^${escape}(?:(?:\\[|O)[ABCDHF]|\\[[1-8]~)$`);
/** Printable keys sort, filter and ask for help; Enter, Tab and Backspace edit a filter. */
const types = new RegExp("^[ -~\\r\\t\\b\u007f]$");

/**
 * The keys that may pass to `vector top`, all of which change only what is shown. Signals from the
 * keyboard, mouse reports, answers of a terminal and whatever else is no such key are left out. A lone
 * Escape closes a filter, or the program.
 */
export function viewingKeys(input: Uint8Array): Buffer {
  const kept = Buffer.from(input)
    .toString("latin1")
    .match(things)
    ?.filter((thing) => thing === escape || moves.test(thing) || types.test(thing));
  return Buffer.from((kept ?? []).join(""), "latin1");
}
