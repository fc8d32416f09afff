import { Pair, Scalar, YAMLMap, YAMLSeq, visit, type Document, type Node } from "yaml";
import { vectorReading } from "./vector-scalars.ts";

/** A configuration as plain values: maps, arrays, texts, numbers, bigints for integers, booleans and null. */
export type PlainValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly PlainValue[]
  | ReadonlyMap<string, PlainValue>;

// These cannot stand in a block of YAML as they are: its lines would end elsewhere.
// eslint-disable-next-line no-control-regex
const unwritable = /[\r\u0085\u2028\u2029\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufeff]/;

/** A text as YAML that Vector reads as the same text. */
export function textNode(text: string): Scalar {
  const node = new Scalar(text);
  if (unwritable.test(text) || vectorReading(text) !== undefined) node.type = Scalar.QUOTE_DOUBLE;
  else if (text.includes("\n")) node.type = Scalar.BLOCK_LITERAL;
  return node;
}

/** Called with each node that is made, to hang comments on it. */
export type Decorate = (
  path: readonly (string | number)[],
  node: { readonly key: Scalar | undefined; readonly value: Node },
) => void;

/** A value as nodes of YAML in block style. */
export function valueNode(
  value: PlainValue,
  decorate: Decorate = () => {},
  path: readonly (string | number)[] = [],
): Node {
  if (typeof value === "string") return textNode(value);
  if (typeof value === "number") {
    const node = new Scalar(value);
    // A float stays one: Vector tells 1.0 from 1 where an option takes either.
    if (Number.isInteger(value)) node.minFractionDigits = 1;
    return node;
  }
  if (value === null || typeof value !== "object") return new Scalar(value);
  if (isList(value)) {
    const list = new YAMLSeq();
    value.forEach((item, index) => {
      const at = [...path, index];
      const node = valueNode(item, decorate, at);
      list.items.push(node);
      decorate(at, { key: undefined, value: node });
    });
    if (list.items.length === 0) list.flow = true;
    return list;
  }
  const map = new YAMLMap();
  for (const [name, child] of value) {
    const at = [...path, name];
    const key = textNode(name);
    const node = valueNode(child, decorate, at);
    map.items.push(new Pair(key, node));
    decorate(at, { key, value: node });
  }
  if (map.items.length === 0) map.flow = true;
  return map;
}

function isList(value: PlainValue): value is readonly PlainValue[] {
  return Array.isArray(value);
}

/** A parsed document as plain values, with aliases unfolded and merged. Throws ReferenceError for an alias bomb. */
export function plainValue(document: Document): PlainValue {
  return toPlain(document.toJS({ mapAsMap: true, maxAliasCount: 100 }) as unknown);
}

function toPlain(value: unknown): PlainValue {
  if (value instanceof Map) {
    return new Map([...value].map(([key, child]) => [keyText(key), toPlain(child)]));
  }
  if (Array.isArray(value)) return value.map(toPlain);
  if (value === undefined) return null;
  return value as PlainValue;
}

/** Vector takes texts only for keys: what else was written is what its text is. */
function keyText(key: unknown): string {
  return typeof key === "string" ? key : String(key);
}

/** Makes a document say to every reader what it says to Vector. */
export function settleScalars(document: Document): void {
  visit(document, {
    Scalar(_key, node) {
      if (node.type !== Scalar.PLAIN || node.source === undefined) return;
      const reading = vectorReading(node.source);
      if (reading?.kind === "text") {
        node.value = node.source;
        node.type = Scalar.QUOTE_DOUBLE;
      } else if (reading?.kind === "integer") {
        node.value = reading.value;
        delete node.format;
      }
    },
  });
}

/** Turns flow style into block style, as people write it. */
export function toBlockStyle(document: Document): void {
  visit(document, {
    Collection(_key, node) {
      if (node.items.length > 0) node.flow = false;
    },
    Scalar(key, node) {
      if (typeof node.value !== "string") return;
      const fresh = textNode(node.value);
      // A key of several lines stays in quotes.
      if (key !== "key" || fresh.type !== Scalar.BLOCK_LITERAL)
        node.type = fresh.type ?? Scalar.PLAIN;
    },
  });
}
