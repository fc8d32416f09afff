/**
 * JSON as text, without reading its numbers: an event's integers may have more digits than a double
 * holds, and 1.0 is not 1.
 */

/** Tokens of a valid JSON text, without its white space. */
function* tokens(json: string): Generator<string> {
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g;
  for (const [text] of json.matchAll(token)) yield text;
}

/** The same over several lines, indented by two. */
export function prettyJson(json: string): string {
  let text = "";
  let depth = 0;
  let before = "";
  const newLine = (): string => `\n${"  ".repeat(depth)}`;
  for (const token of tokens(json)) {
    const closes = token === "}" || token === "]";
    if (closes) depth--;
    const opened = before === "{" || before === "[";
    if ((opened && !closes) || before === "," || (closes && !opened)) text += newLine();
    text += token === ":" ? ": " : token;
    if (token === "{" || token === "[") depth++;
    before = token;
  }
  return text;
}

/** The members of an object as texts; empty for anything else. */
export function membersOf(json: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let depth = 0;
  let name: string | undefined;
  let value = "";
  for (const token of tokens(json)) {
    if (token === "}" || token === "]") depth--;
    if (depth === 0 && members.size === 0 && token === "[") return members;
    const ends = (depth === 1 && token === ",") || (depth === 0 && token === "}");
    if (ends) {
      if (name !== undefined) members.set(name, value);
      name = undefined;
      value = "";
    } else if (depth === 1 && name === undefined) {
      name = JSON.parse(token) as string;
    } else if (depth >= 1 && !(depth === 1 && token === ":" && value === "")) {
      value += token;
    }
    if (token === "{" || token === "[") depth++;
  }
  return members;
}

/** A value for a cell of a table: a text without its quotes, everything else as it is. */
export function cellText(value: string): string {
  return value.startsWith('"') ? (JSON.parse(value) as string) : value;
}
