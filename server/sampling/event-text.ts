/**
 * An event from a host as the database can hold it: valid JSON without NUL and lone surrogates, which jsonb
 * refuses. Undefined when it is no JSON (P12).
 */
export function cleanEvent(json: string, maximumLength: number): string | undefined {
  if (json.length > maximumLength) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  const isClean = json.isWellFormed() && !/\\u(?:0000|[dD][89abAB])/.test(json);
  // Otherwise the text stays as it is: it has digits that a double would lose.
  return isClean ? json : JSON.stringify(cleanValue(value));
}

function cleanText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

function cleanValue(value: unknown): unknown {
  if (typeof value === "string") return cleanText(value);
  if (Array.isArray(value)) return value.map(cleanValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [cleanText(key), cleanValue(item)]),
  );
}
