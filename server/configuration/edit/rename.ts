import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  type Document,
  type Pair,
  type Scalar,
} from "yaml";
import { applyEdits, type TextEdit } from "#common/apply-edits.ts";
import { isMergeKey } from "#common/yaml-shape.ts";
import { kinds, type Catalogue } from "../catalogue.ts";
import {
  keyPattern,
  longestKey,
  nameRule,
  parsePipelineText,
  reservedPrefix,
  type PipelineGraph,
} from "../graph.ts";
import { isWildcard, tableOutputs } from "../ports.ts";
import { rewriteScalar } from "./text-edits.ts";
import { wire } from "../wiring.ts";

export type Renamed =
  | {
      readonly kind: "renamed";
      readonly text: string;
      readonly edits: readonly TextEdit[];
      /** What a person should know: patterns stay as they are, and may take in others now. */
      readonly notes: readonly string[];
    }
  | { readonly kind: "impossible"; readonly message: string };

/** A name, or the first free one that comes after it: `http`, `http_2`, `http_3`. */
export function freeKey(wanted: string, taken: ReadonlySet<string>): string {
  let key = wanted;
  for (let number = 2; taken.has(key); number += 1) {
    const end = `_${number}`;
    key = `${wanted.slice(0, longestKey - end.length)}${end}`;
  }
  return key;
}

/** The names of a graph's components, and of tables that are read like one. */
export function takenKeys(graph: PipelineGraph): ReadonlySet<string> {
  const others = [...graph.components, ...tableOutputs(graph.globalConfig)];
  return new Set(others.map(({ key }) => key));
}

const outputPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/**
 * Gives a component another name, and everything that reads it by name the new one: inputs of components and tables,
 * and unit tests. Comments, order and quoting stay. Patterns in inputs stay as they are. Pure.
 */
export function renameComponent(
  text: string,
  from: string,
  to: string,
  catalogue: Catalogue,
): Renamed {
  const { graph } = parsePipelineText(text);
  if (graph === undefined) return impossible("the text must be a configuration first");
  if (!graph.components.some(({ key }) => key === from)) {
    return impossible(`there is no component named ${from}`);
  }
  if (!keyPattern.test(to)) {
    return impossible(nameRule);
  }
  if (to.startsWith(reservedPrefix)) {
    return impossible(`names that start with ${reservedPrefix} are reserved`);
  }
  if (to !== from && takenKeys(graph).has(to))
    return impossible(`another component is named ${to} already`);
  const rename = (id: string): string =>
    id === from ? to : id.startsWith(`${from}.`) ? `${to}${id.slice(from.length)}` : id;
  return carryOut(text, graph, rename, catalogue, (document) => {
    const entry = componentEntry(document, from);
    return entry === undefined ? [] : [{ node: entry.key, value: to }];
  });
}

/** Gives a route another name, and everything that reads it. Only routes have names that people give. Pure. */
export function renameOutput(
  text: string,
  key: string,
  from: string,
  to: string,
  catalogue: Catalogue,
): Renamed {
  const { graph } = parsePipelineText(text);
  if (graph === undefined) return impossible("the text must be a configuration first");
  const component = graph.components.find((candidate) => candidate.key === key);
  const outputs = component === undefined ? [] : wire(graph, catalogue).outputs(component);
  const own = component?.type === "route" || component?.type === "exclusive_route";
  if (!own || from === "_unmatched" || !outputs.some(({ name }) => name === from)) {
    return impossible(`${key} has no output ${from} whose name can be chosen`);
  }
  if (!outputPattern.test(to) || to === "_unmatched" || to === "_default") {
    return impossible(
      "the name of a route needs letters, digits, _, - or dots, and is not _unmatched or _default",
    );
  }
  if (to !== from && outputs.some(({ name }) => name === to)) {
    return impossible(`${key} has an output named ${to} already`);
  }
  const rename = (id: string): string => (id === `${key}.${from}` ? `${key}.${to}` : id);
  return carryOut(text, graph, rename, catalogue, (document) => {
    const body = componentEntry(document, key)?.value;
    const nodes =
      component.type === "route"
        ? [pairOf(document, valueOf(document, body, "route"), from)?.key]
        : itemsOf(document, valueOf(document, body, "routes")).map((route) =>
            valueOf(document, route, "name"),
          );
    return nodes
      .filter((node) => isScalar(node) && node.value === from)
      .map((node) => ({ node, value: to }));
  });
}

interface Change {
  readonly node: unknown;
  readonly value: string;
}

function carryOut(
  text: string,
  before: PipelineGraph,
  rename: (id: string) => string,
  catalogue: Catalogue,
  definition: (document: Document) => readonly Change[],
): Renamed {
  const document = parseDocument(text, { merge: true });
  const defined = definition(document);
  const references = referencesIn(document).map((node) => ({
    node,
    value: rename(String(node.value)),
  }));
  const changes = [
    ...defined,
    ...references.filter(({ node, value }) => value !== String(node.value)),
  ];
  const edits = new Map<number, TextEdit>();
  for (const { node, value } of changes) {
    const edit = rewriteScalar(text, node, value);
    if (edit === undefined) return byHand;
    edits.set(edit.from, edit);
  }
  const changed = applyEdits(text, [...edits.values()]);
  const after = parsePipelineText(changed).graph;
  if (defined.length === 0 || after === undefined || !isRenamed(before, after, rename)) {
    return byHand;
  }
  return {
    kind: "renamed",
    text: changed,
    edits: [...edits.values()].toSorted((a, b) => a.from - b.from),
    notes: changedPatterns(before, after, rename, catalogue),
  };
}

/** Whether nothing differs but names. */
function isRenamed(
  before: PipelineGraph,
  after: PipelineGraph,
  rename: (id: string) => string,
): boolean {
  const shape = ({ components }: PipelineGraph, name: (id: string) => string): string =>
    JSON.stringify(
      components.map(({ key, kind, type, inputs, config }) => [
        name(key),
        kind,
        type,
        inputs.map((input) => (isWildcard(input) ? input : name(input))),
        type === "route" || type === "exclusive_route" ? null : config,
      ]),
    );
  return shape(before, rename) === shape(after, (id) => id);
}

/** Says where a pattern takes in others than before. */
function changedPatterns(
  before: PipelineGraph,
  after: PipelineGraph,
  rename: (id: string) => string,
  catalogue: Catalogue,
): readonly string[] {
  const wiredBefore = wire(before, catalogue);
  const wiredAfter = wire(after, catalogue);
  return before.components.flatMap((component, index) => {
    const renamed = after.components[index];
    if (renamed === undefined || !component.inputs.some(isWildcard)) return [];
    const old = new Set(wiredBefore.inputs(component).map(rename));
    const now = new Set(wiredAfter.inputs(renamed));
    const lost = [...old].filter((id) => !now.has(id));
    const won = [...now].filter((id) => !old.has(id));
    return [
      ...lost.map((id) => `the patterns in the inputs of ${renamed.key} no longer match ${id}`),
      ...won.map((id) => `the patterns in the inputs of ${renamed.key} match ${id} now`),
    ];
  });
}

/** The nodes that name an output: inputs of components and tables, and the places of unit tests. */
export function referencesIn(document: Document): readonly Scalar[] {
  const sections = [...kinds.map((kind) => `${kind}s`), "enrichment_tables"];
  const inputs = sections.flatMap((section) =>
    entriesOf(document, valueOf(document, document.contents, section)).map(({ value }) =>
      valueOf(document, value, "inputs"),
    ),
  );
  const tests = itemsOf(document, valueOf(document, document.contents, "tests")).flatMap((test) => {
    const given = [
      valueOf(document, test, "input"),
      ...itemsOf(document, valueOf(document, test, "inputs")),
    ];
    const expected = itemsOf(document, valueOf(document, test, "outputs"));
    return [
      ...given.map((input) => valueOf(document, input, "insert_at")),
      ...expected.map((output) => valueOf(document, output, "extract_from")),
      valueOf(document, test, "no_outputs_from"),
    ];
  });
  const scalars = [...inputs, ...tests].flatMap((node) =>
    isScalar(node) ? [node] : itemsOf(document, node).filter(isScalar),
  );
  return [...new Set(scalars)];
}

function componentEntry(document: Document, key: string): Pair | undefined {
  for (const kind of kinds) {
    const found = pairOf(document, valueOf(document, document.contents, `${kind}s`), key);
    if (found !== undefined) return found;
  }
  return undefined;
}

function resolve(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function keyText({ key }: Pair): string {
  return String(isScalar(key) ? key.value : key);
}

function entriesOf(document: Document, node: unknown): readonly Pair[] {
  const map = resolve(document, node);
  return isMap(map) ? map.items : [];
}

function itemsOf(document: Document, node: unknown): readonly unknown[] {
  const seq = resolve(document, node);
  return isSeq(seq) ? seq.items.map((item) => resolve(document, item)) : [];
}

/** The pair of a key in a map, or in what is merged into it. */
function pairOf(document: Document, node: unknown, key: string): Pair | undefined {
  const entries = entriesOf(document, node);
  const own = entries.find((pair) => keyText(pair) === key);
  if (own !== undefined) return own;
  for (const merge of entries.filter(({ key }) => isScalar(key) && isMergeKey(key))) {
    const source = resolve(document, merge.value);
    for (const map of isSeq(source) ? source.items : [source]) {
      const found = pairOf(document, map, key);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function valueOf(document: Document, node: unknown, key: string): unknown {
  return resolve(document, pairOf(document, node, key)?.value);
}

function impossible(message: string): Renamed {
  return { kind: "impossible", message };
}

const byHand = impossible(
  "a name is written in a way that cannot be replaced safely: rename it by hand",
);
