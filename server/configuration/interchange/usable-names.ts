import { isDeepStrictEqual } from "node:util";
import { isMap, isScalar, type Document, type Scalar } from "yaml";
import { kinds, loadCatalogue, type Kind } from "../catalogue.ts";
import { freeKey, referencesIn } from "../edit/rename.ts";
import { isRecord, keyPattern, usableKey } from "../graph.ts";
import { isWildcard, outputId, outputsOf, tableOutputs, wildcardMatcher } from "../ports.ts";
import { isMergeKey } from "#common/yaml-shape.ts";
import type { ImportNotice } from "./import-config.ts";
import type { ImportProblem } from "./import-read.ts";
import { plainValue, type PlainValue } from "./yaml-nodes.ts";

export interface Renaming {
  /** The nodes that have another value now. */
  readonly changed: ReadonlySet<Scalar>;
  readonly notices: readonly ImportNotice[];
  readonly problems: readonly ImportProblem[];
}

const nothing: Renaming = { changed: new Set(), notices: [], problems: [] };

/**
 * Gives components whose names Vector takes and a pipeline does not (`app-logs`) names that it takes (`app_logs`), and
 * everything that reads them the new ones: inputs, patterns in them, tables and unit tests. What cannot be carried
 * over is a problem, and nothing of the file is used. Changes the document.
 */
export function giveUsableNames(document: Document): Renaming {
  const keys = componentKeys(document);
  const names = newNames(keys, document);
  if (names.size === 0) return nothing;
  const before = withoutNames(plainValue(document));
  const patterns = carryPatterns(document, names);
  const changed = new Set<Scalar>();
  const change = (node: Scalar, value: string | undefined): void => {
    if (value === undefined || value === node.value) return;
    node.value = value;
    changed.add(node);
  };
  for (const node of keys.values()) change(node, names.get(String(node.value)));
  for (const node of referencesIn(document)) {
    const id = String(node.value);
    change(node, isWildcard(id) ? patterns.get(id) : renamed(id, names));
  }
  const lost = [...patterns].filter(([, carried]) => carried === undefined);
  // A name that stands under an anchor may mean something else elsewhere.
  const isWhole = isDeepStrictEqual(withoutNames(plainValue(document)), before);
  if (lost.length > 0 || !isWhole) {
    return {
      ...nothing,
      problems: [{ path: "", line: 0, message: cannotCarry(names, lost.at(0)?.[0]) }],
    };
  }
  return { changed, notices: [{ path: "", message: tell(names) }], problems: [] };
}

/** The nodes of the components' names, as they are written in their sections. */
function componentKeys(document: Document): ReadonlyMap<string, Scalar> {
  const keys = new Map<string, Scalar>();
  for (const kind of kinds) {
    const section: unknown = document.get(`${kind}s`, true);
    for (const { key } of isMap(section) ? section.items : []) {
      if (isScalar(key) && !isMergeKey(key)) keys.set(String(key.value), key);
    }
  }
  return keys;
}

function newNames(
  keys: ReadonlyMap<string, Scalar>,
  document: Document,
): ReadonlyMap<string, string> {
  const unusable = [...keys.keys()].filter((key) => !keyPattern.test(key));
  if (unusable.length === 0) return new Map();
  const tables = tableOutputs(toRecord(document.toJS({ maxAliasCount: 100 })));
  const taken = new Set([...keys.keys(), ...tables.map(({ key }) => key)]);
  const names = new Map<string, string>();
  for (const key of unusable) {
    const name = freeKey(usableKey(key), taken);
    taken.add(name);
    names.set(key, name);
  }
  return names;
}

/** The name of an output whose component has another name now. */
function renamed(id: string, names: ReadonlyMap<string, string>): string {
  const whole = names.get(id);
  if (whole !== undefined) return whole;
  const dot = id.indexOf(".");
  const name = dot < 0 ? undefined : names.get(id.slice(0, dot));
  return name === undefined ? id : `${name}${id.slice(dot)}`;
}

/** How each pattern must be written to take in what it took in before; undefined when it cannot be. */
function carryPatterns(
  document: Document,
  names: ReadonlyMap<string, string>,
): ReadonlyMap<string, string | undefined> {
  const patterns = new Set(
    referencesIn(document)
      .map(({ value }) => String(value))
      .filter(isWildcard),
  );
  if (patterns.size === 0) return new Map();
  const ids = outputIds(document);
  return new Map(
    [...patterns].map((pattern) => {
      const wanted = ids.filter(wildcardMatcher(pattern)).map((id) => renamed(id, names));
      const now = ids.map((id) => renamed(id, names));
      const carried = [pattern, pattern.replaceAll(/[^A-Za-z0-9_.*?[\]!]/g, "_")].find((written) =>
        isDeepStrictEqual(now.filter(wildcardMatcher(written)), wanted),
      );
      return [pattern, carried];
    }),
  );
}

function outputIds(document: Document): readonly string[] {
  const root = toRecord(document.toJS({ maxAliasCount: 100 }));
  const catalogue = loadCatalogue();
  const own = kinds.flatMap((kind: Kind) =>
    Object.entries(toRecord(root[`${kind}s`])).flatMap(([key, body]) => {
      const { type, ...config } = toRecord(body);
      const component = { key, kind, type: String(type), inputs: [], config, yaml: "" };
      return outputsOf(component, catalogue).map(({ name }) => outputId(key, name));
    }),
  );
  const tables = tableOutputs(root).flatMap(({ key, ports }) =>
    ports.map(({ name }) => outputId(key, name)),
  );
  return [...own, ...tables];
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

const sections: ReadonlySet<string> = new Set(kinds.map((kind) => `${kind}s`));

/** All that a configuration says, but for the places where components are named. */
function withoutNames(root: PlainValue): unknown {
  return entriesOf(root).map(([name, value]) => {
    if (sections.has(name)) {
      return [name, entriesOf(value).map(([, body]) => without(body, "inputs"))];
    }
    if (name === "enrichment_tables") {
      return [name, entriesOf(value).map(([key, body]) => [key, without(body, "inputs")])];
    }
    return name === "tests" ? [name, itemsOf(value).map(testWithoutNames)] : [name, value];
  });
}

function testWithoutNames(test: PlainValue): unknown {
  return entriesOf(without(test, "no_outputs_from")).map(([name, value]) =>
    /^(?:inputs?|outputs)$/.test(name)
      ? [name, itemsOf(value).map((item) => without(without(item, "insert_at"), "extract_from"))]
      : [name, value],
  );
}

function without(value: PlainValue, option: string): PlainValue {
  const entries = entriesOf(value).filter(([name]) => name !== option);
  return value instanceof Map ? new Map(entries) : value;
}

function entriesOf(value: PlainValue): readonly (readonly [string, PlainValue])[] {
  return value instanceof Map ? [...(value as ReadonlyMap<string, PlainValue>)] : [];
}

function itemsOf(value: PlainValue): readonly PlainValue[] {
  return Array.isArray(value) ? (value as readonly PlainValue[]) : [value];
}

function tell(names: ReadonlyMap<string, string>): string {
  const shown = [...names].slice(0, 10).map(([from, to]) => `${from} is ${to} now`);
  const more = names.size > shown.length ? ` and ${names.size - shown.length} more` : "";
  return `names of components have letters, digits and _ only: ${shown.join(", ")}${more}. Inputs and tests follow; metrics go by the new names, and texts that compare component_id are left as they are`;
}

function cannotCarry(names: ReadonlyMap<string, string>, pattern: string | undefined): string {
  const [[from, to] = ["", ""]] = names;
  const why =
    pattern === undefined
      ? "but they stand under anchors that mean something else too"
      : `but the pattern ${pattern} would take in others then`;
  return `names of components have letters, digits and _ only, like ${to} for ${from}, ${why}: rename them in the file first`;
}
