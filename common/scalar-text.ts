/** A place in a text, in UTF-16 code units from its start. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Where a part of a text value stands in the document. `scalar` is the place of the value as it is written, `from` and
 * `to` are UTF-16 code units of the value. The whole scalar when its notation does not keep the value's characters in
 * their order, as with escapes and folded lines.
 */
export function placeInScalar(
  document: string,
  scalar: Span,
  value: string,
  from: number,
  to: number,
): Span {
  const written = document.slice(scalar.from, scalar.to);
  const place = written.startsWith("|") ? blockPlaces(written, value) : flowPlaces(written, value);
  if (place === undefined) return scalar;
  const start = scalar.from + place(from);
  // The end is that of the last character, so that it never spans the next line's indentation.
  const end = to > from ? scalar.from + place(to - 1) + 1 : start + 1;
  return { from: start, to: Math.max(end, start + 1) };
}

type Places = (at: number) => number;

/** Plain and quoted texts on one line without escapes. */
function flowPlaces(written: string, value: string): Places | undefined {
  const quoted = /^["']/.test(written);
  const inner = quoted ? written.slice(1, -1) : written;
  return inner === value ? (at) => at + (quoted ? 1 : 0) : undefined;
}

/** Literal blocks: each line of the value is a line of the document behind an indentation. */
function blockPlaces(written: string, value: string): Places | undefined {
  const header = written.indexOf("\n") + 1;
  if (header === 0) return undefined;
  const valueLines = value.split("\n");
  const starts: { readonly value: number; readonly written: number }[] = [];
  let [atValue, atWritten] = [0, header];
  for (const line of valueLines) {
    const end = written.indexOf("\n", atWritten);
    const whole = written.slice(atWritten, end < 0 ? written.length : end);
    const bare = whole.endsWith("\r") ? whole.slice(0, -1) : whole;
    const indent = bare.length - line.length;
    // The empty piece behind the last line break stands nowhere.
    if (!bare.endsWith(line) || bare.slice(0, Math.max(0, indent)).trim() !== "") {
      return undefined;
    }
    starts.push({ value: atValue, written: atWritten + Math.max(0, indent) });
    atValue += line.length + 1;
    atWritten += whole.length + 1;
    if (atWritten > written.length) break;
  }
  return (at) => {
    const line = starts.findLast((start) => start.value <= at) ?? { value: 0, written: header };
    return Math.min(line.written + at - line.value, written.length);
  };
}
