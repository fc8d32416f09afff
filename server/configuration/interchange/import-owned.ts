import { isDeepStrictEqual } from "node:util";
import {
  Document,
  Scalar,
  isMap,
  isScalar,
  parseDocument,
  visit,
  type Node,
  type Pair,
  type YAMLMap,
} from "yaml";
import { applyEdits, type TextEdit } from "#common/apply-edits.ts";
import { rewriteScalar } from "../edit/text-edits.ts";
import type { ReadFile } from "./import-read.ts";
import { vectorReading } from "./vector-scalars.ts";
import { plainValue } from "./yaml-nodes.ts";

/** What VectorFlow sets on each host, with what people should know of that. */
export const owned: Readonly<Record<string, string>> = {
  data_dir:
    "each host has a data directory of its own for each pipeline; checkpoints and disk buffers of an installation that ran before are not taken over",
  api: "the agent sets Vector's API up itself",
  secret: "secrets are kept by VectorFlow: make one under each name that SECRET[…] has in the text",
  provider: "the agent brings configurations to Vector",
};

/** A single file of YAML stays as it was written, but for what is taken out and for nodes that were changed. */
export function writeWithoutOwned(
  document: Document,
  alone: ReadFile | undefined,
  changed: ReadonlySet<Scalar>,
): string {
  const written = alone?.format === "yaml" ? editText(alone.text, document, changed) : undefined;
  if (written !== undefined) return written;
  if (!isMap(document.contents)) return "";
  keepReferred(document);
  takeOut(document, document.contents);
  if (document.contents.items.length === 0) return "";
  document.contents.flow = false;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** Takes the options out that VectorFlow sets; what stands above one stays, above the next. */
function takeOut(document: Document, root: YAMLMap): void {
  let waiting: string[] = [];
  const kept: Pair[] = [];
  for (const pair of root.items) {
    const own = isScalar(pair.key) ? pair.key.commentBefore : undefined;
    if (keyOf(pair) in owned) {
      if (own != null) waiting.push(own);
      continue;
    }
    if (waiting.length > 0 && isScalar(pair.key)) {
      pair.key.commentBefore = [...waiting, ...(own == null ? [] : [own])].join("\n");
      waiting = [];
    }
    kept.push(pair);
  }
  if (waiting.length > 0) {
    document.comment = [...waiting, ...(document.comment == null ? [] : [document.comment])].join(
      "\n",
    );
  }
  root.items = kept;
}

/** Writes what goes where something that stays refers to it. */
function keepReferred(document: Document): void {
  if (!isMap(document.contents)) return;
  const going = new Set<Node>();
  for (const pair of document.contents.items.filter((item) => keyOf(item) in owned)) {
    visit(pair.value as never, { Node: (_key, node) => void going.add(node) });
  }
  for (const pair of document.contents.items.filter((item) => !(keyOf(item) in owned))) {
    const holder = new Document(null);
    holder.contents = pair.value as never;
    visit(holder, {
      Alias(_key, alias) {
        const source = alias.resolve(document);
        if (source === undefined || !going.has(source)) return undefined;
        const copy = source.clone() as Node;
        visit(copy, { Node: (_at, node) => void ("anchor" in node && delete node.anchor) });
        return copy;
      },
    });
    pair.value = holder.contents;
  }
}

/** Changes a text in place, or gives up when that would change what it says. */
function editText(
  text: string,
  document: Document,
  changed: ReadonlySet<Scalar>,
): string | undefined {
  if (!isMap(document.contents)) return text;
  if (
    document.contents.flow === true &&
    document.contents.items.some((pair) => keyOf(pair) in owned)
  ) {
    return undefined;
  }
  const edits: TextEdit[] = [];
  let isPossible = true;
  for (const pair of document.contents.items) {
    if (keyOf(pair) in owned) edits.push({ ...linesOf(text, pair), insert: "" });
  }
  const lines = [...edits];
  const removed = (at: number): boolean => lines.some(({ from, to }) => from <= at && at < to);
  visit(document, {
    Scalar(_key, node) {
      if (node.range == null || removed(node.range[0])) return;
      const [from, to] = node.range;
      if (changed.has(node)) {
        const edit = rewriteScalar(text, node, String(node.value));
        if (edit === undefined) isPossible = false;
        else edits.push(edit);
      } else if (vectorReading(text.slice(from, to)) !== undefined) {
        const again =
          node.type === Scalar.QUOTE_DOUBLE ? JSON.stringify(node.value) : String(node.value);
        edits.push({ from, to, insert: again });
      }
    },
  });
  if (!isPossible) return undefined;
  const edited = applyEdits(text, edits);
  return saysTheSame(edited, document) ? edited : undefined;
}

function saysTheSame(text: string, document: Document): boolean {
  const again: Document = parseDocument(text, {
    intAsBigInt: true,
    merge: true,
    uniqueKeys: false,
  });
  if (again.errors.length > 0) return false;
  const wanted = plainValue(document);
  const kept =
    wanted instanceof Map ? new Map([...wanted].filter(([key]) => !(key in owned))) : new Map();
  try {
    return isDeepStrictEqual(plainValue(again) ?? new Map(), kept);
  } catch (error) {
    // An alias whose anchor was taken out.
    if (error instanceof ReferenceError) return false;
    throw error;
  }
}

/** The lines of a top-level option, without comments that stand before it. */
function linesOf(text: string, pair: Pair): { from: number; to: number } {
  const range = (node: unknown): readonly [number, number] => {
    const found = (node as { range?: readonly number[] | null } | null)?.range;
    return [found?.[0] ?? 0, found?.[1] ?? 0];
  };
  const [keyFrom, keyTo] = range(pair.key);
  let end = Math.max(keyTo, range(pair.value)[1]);
  while (end > keyTo && /\s/.test(text[end - 1] ?? "")) end -= 1;
  const line = text.indexOf("\n", end);
  return {
    from: text.lastIndexOf("\n", keyFrom - 1) + 1,
    to: line === -1 ? text.length : line + 1,
  };
}

/** The name of an option. */
export function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}
