import { isCollection, isScalar } from "yaml";
import { renameKey, rewriteValue, type TextFix } from "../edit/text-edits.ts";
import type { ParsedText } from "../graph.ts";
import type { OptionProblem } from "./check-options.ts";

/** Whether a problem is one, as the value is written. The key is of a component, or empty for the top level. */
export function isAsWritten(
  text: string,
  parsed: ParsedText,
  key: string,
  { path, onlyInQuotes }: OptionProblem,
): boolean {
  if (onlyInQuotes !== true) return true;
  const span = parsed.locate(key, path);
  return span !== undefined && /["'|>]/.test(text.charAt(span.from));
}

/** What settles a problem of an option. */
export function fixesOf(
  text: string,
  parsed: ParsedText,
  key: string,
  problem: OptionProblem,
): readonly TextFix[] {
  const { path, close } = problem;
  if (problem.onlyInQuotes === true) return withoutQuotes(parsed, key, path);
  if (close === undefined) return [];
  return close.of === "name"
    ? asFix(`Rename it to ${close.text}`, renameKey(text, parsed, key, path, close.text))
    : asFix(`Make it ${close.text}`, rewriteValue(text, parsed, key, path, close.text));
}

export function asFix(title: string, edits: TextFix["edits"]): readonly TextFix[] {
  return edits.length === 0 ? [] : [{ title, edits }];
}

/** Nothing between braces: a bracket would end the value there. */
function withoutQuotes(
  parsed: ParsedText,
  key: string,
  path: OptionProblem["path"],
): readonly TextFix[] {
  const isInBraces = path.some((_step, at) => {
    const node = parsed.place(key, path.slice(0, at))?.node;
    return isCollection(node) && node.flow === true;
  });
  const place = parsed.place(key, path);
  if (isInBraces || place === undefined || !isScalar(place.node)) return [];
  const { value, range, type } = place.node;
  const isWhole = typeof value === "string" && /^SECRET\[[^[\]\s]+\]$/.test(value);
  if (!isWhole || range == null || type?.startsWith("QUOTE") !== true) return [];
  const edit = { from: place.base + range[0], to: place.base + range[1], insert: value };
  return [{ title: "Write it without quotes", edits: [edit] }];
}
