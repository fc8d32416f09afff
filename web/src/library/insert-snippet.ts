/** A change of a text, and where the cursor is after it. */
export interface Insertion {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
  readonly cursor: number;
}

/**
 * Puts a program into YAML at the cursor, with the indentation of its place: into an empty line as it is, behind any
 * other line as new lines, and behind a key such as `source:` as the key's block. Pure.
 */
export function insertSnippet(text: string, position: number, code: string): Insertion {
  const lineFrom = text.lastIndexOf("\n", position - 1) + 1;
  const lineEnd = text.indexOf("\n", position);
  const lineTo = lineEnd === -1 ? text.length : lineEnd;
  const line = text.slice(lineFrom, lineTo);
  const body = (indent: number): string =>
    code
      .trimEnd()
      .split("\n")
      .map((own) => (own === "" ? "" : " ".repeat(indent) + own))
      .join("\n");
  if (line.trim() === "") {
    const above = lineAbove(text, lineFrom);
    const insert = body(opensBlock(above) ? widthOf(above) + 2 : blankIndent(line, above));
    return { from: lineFrom, to: lineTo, insert, cursor: lineFrom + insert.length };
  }
  const end = lineFrom + line.trimEnd().length;
  const isKey = /^\s*(?:- )?[\w.-]+:$/.test(line.trimEnd());
  const deeper = isKey || opensBlock(line);
  const insert = `${isKey ? " |" : ""}\n${body(widthOf(line) + (deeper ? 2 : 0))}`;
  return { from: end, to: lineTo, insert, cursor: end + insert.length };
}

/** An empty line stands as deep as it says, or as the line above does. */
function blankIndent(line: string, above: string): number {
  return line.length > 0 ? line.length : widthOf(above);
}

/** The next line above that has something in it. */
function lineAbove(text: string, lineFrom: number): string {
  return (
    text
      .slice(0, lineFrom)
      .split("\n")
      .findLast((line) => line.trim() !== "") ?? ""
  );
}

/** Whether the line ends with the head of a block of text. */
function opensBlock(line: string): boolean {
  return /:\s*[|>][+-]?\d?\s*$/.test(line);
}

/** How deep the content of a line stands; the dash of a list's item counts. */
function widthOf(line: string): number {
  return /^[\s-]*/.exec(line)?.[0].length ?? 0;
}
