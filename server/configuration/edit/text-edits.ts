import { isMap, isScalar, isSeq, type Pair, type Scalar } from "yaml";
import type { TextEdit } from "#common/apply-edits.ts";
import type { ParsedText } from "../graph.ts";

/** What makes a problem go away, done to the text. */
export interface TextFix {
  /** What it does, as a button says it. */
  readonly title: string;
  readonly edits: readonly TextEdit[];
}

/** Writes another text where a scalar stands, in the same notation where that can hold it. */
export function rewriteScalar(
  text: string,
  node: unknown,
  value: string,
  base = 0,
): TextEdit | undefined {
  if (!isScalar(node) || node.range == null) return undefined;
  const [start, end] = node.range;
  const place = { from: base + start, to: base + end };
  const written = text.slice(place.from, place.to);
  // Blocks end with their line, and anchors and tags stand before the place.
  if (/^[|>]/.test(written)) return undefined;
  return { ...place, insert: notation(node, value) };
}

function notation({ type }: Scalar, value: string): string {
  if (type === "QUOTE_SINGLE") return `'${value.replaceAll("'", "''")}'`;
  if (type === "QUOTE_DOUBLE" || !isPlain(value)) return JSON.stringify(value);
  return value;
}

/** Whether a text without quotes is read as that text. */
function isPlain(value: string): boolean {
  return (
    /^[A-Za-z_][\w./-]*$/.test(value) && !/^(?:true|false|yes|no|on|off|null|y|n)$/i.test(value)
  );
}

/** Gives an option another name. */
export function renameKey(
  text: string,
  parsed: ParsedText,
  component: string,
  path: readonly (string | number)[],
  name: string,
): readonly TextEdit[] {
  const place = parsed.place(component, path);
  const edit = place && rewriteScalar(text, place.pair?.key, name, place.base);
  return edit === undefined ? [] : [edit];
}

/** Gives an option another value. */
export function rewriteValue(
  text: string,
  parsed: ParsedText,
  component: string,
  path: readonly (string | number)[],
  value: string,
): readonly TextEdit[] {
  const place = parsed.place(component, path);
  const edit = place && rewriteScalar(text, place.node, value, place.base);
  return edit === undefined ? [] : [edit];
}

/** Takes one item out of `inputs`, as they are written: a list in one line or in several. */
export function removeInput(
  text: string,
  parsed: ParsedText,
  component: string,
  index: number,
): readonly TextEdit[] {
  const place = parsed.place(component, ["inputs"]);
  if (place === undefined || !isSeq(place.node)) return [];
  const { items } = place.node;
  const range = (at: number): readonly [number, number] | undefined => {
    const item = items[at];
    return isScalar(item) && item.range != null
      ? [place.base + item.range[0], place.base + item.range[1]]
      : undefined;
  };
  const own = range(index);
  if (own === undefined) return [];
  if (place.node.flow !== true) return removeLine(text, own, items.length, place);
  const next = range(index + 1);
  if (next !== undefined) return [{ from: own[0], to: next[0], insert: "" }];
  return [{ from: range(index - 1)?.[1] ?? own[0], to: own[1], insert: "" }];
}

function removeLine(
  text: string,
  [start, end]: readonly [number, number],
  count: number,
  { pair, base }: { readonly pair: Pair | undefined; readonly base: number },
): readonly TextEdit[] {
  if (count > 1) {
    const from = text.lastIndexOf("\n", start - 1) + 1;
    const newline = text.indexOf("\n", end);
    if (text.slice(from, start).trim() !== "-") return [];
    return [{ from, to: newline < 0 ? text.length : newline + 1, insert: "" }];
  }
  if (!isScalar(pair?.key) || pair.key.range == null) return [];
  const colon = text.indexOf(":", base + pair.key.range[1]);
  return colon < 0 ? [] : [{ from: colon + 1, to: end, insert: " []" }];
}

/** The node of a path below a component, as it is written there: what a merge brings in has no place. */
export interface TextPlace {
  readonly pair: Pair | undefined;
  readonly node: unknown;
  /** What places in the node count from. */
  readonly base: number;
}

export function placeIn(
  value: unknown,
  path: readonly (string | number)[],
  base: number,
  pair?: Pair,
): TextPlace | undefined {
  let found: TextPlace = { pair, node: value, base };
  for (const step of path) {
    const { node } = found;
    if (isMap(node)) {
      const next = node.items.find(
        ({ key }) => String(isScalar(key) ? key.value : key) === String(step),
      );
      if (next === undefined) return undefined;
      found = { pair: next, node: next.value, base };
    } else if (isSeq(node)) {
      const item = node.items[Number(step)];
      if (item === undefined) return undefined;
      found = { pair: undefined, node: item, base };
    } else {
      return undefined;
    }
  }
  return found;
}
