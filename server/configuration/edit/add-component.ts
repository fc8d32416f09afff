import { isDeepStrictEqual } from "node:util";
import { isMap, isNode, isScalar, parseDocument, type Pair } from "yaml";
import { applyEdits, type TextEdit } from "#common/apply-edits.ts";
import type { Catalogue, ComponentFacts, Kind } from "../catalogue.ts";
import { parsePipelineText } from "../graph.ts";
import { isRequired, optionTree } from "../check/option-tree.ts";
import { freeKey, takenKeys, type Renamed } from "./rename.ts";

/**
 * Adds a component at the end of its section, with a name of its own and the options that it must have. Options whose
 * value nobody can know stay empty, so that the check asks for them. All else stays as it is written. Pure.
 */
export function addComponent(
  text: string,
  kind: Kind,
  type: string,
  catalogue: Catalogue,
): Renamed {
  const { graph } = parsePipelineText(text);
  if (graph === undefined) {
    return { kind: "impossible", message: "the text must be a configuration first" };
  }
  const facts = catalogue.component(kind, type);
  if (facts === undefined) {
    return { kind: "impossible", message: `there is no ${kind} of type ${type}` };
  }
  const key = freeKey(type, takenKeys(graph));
  const edit = insertion(text, `${kind}s`, key, bodyOf(facts, catalogue));
  if (edit === undefined) return impossible(kind);
  const added = applyEdits(text, [edit]);
  const after = parsePipelineText(added).graph;
  const others = after?.components.filter((component) => component.key !== key);
  const own = after?.components.find((component) => component.key === key);
  if (own?.type !== type || !isDeepStrictEqual(others, graph.components)) return impossible(kind);
  return { kind: "renamed", text: added, edits: [edit], notes: [`${key} was added`] };
}

function impossible(kind: Kind): Renamed {
  return {
    kind: "impossible",
    message: `the ${kind}s are not written one below the other: write the new one by hand`,
  };
}

/** Lines without indentation. */
function bodyOf(facts: ComponentFacts, catalogue: Catalogue): readonly string[] {
  const level = optionTree(catalogue.options(facts));
  const body: Record<string, string | null> = {};
  // What decides about others comes before them.
  for (const depends of [false, true]) {
    for (const option of level.options) {
      const { name, fact } = option;
      const isConditional = option.relevantWhen !== undefined || option.requiredWhen !== undefined;
      if (isConditional !== depends || name === "inputs") continue;
      if (isRequired(option, body, level)) body[name] = fact.enum?.[0] ?? null;
    }
  }
  return [
    `type: ${facts.type}`,
    ...(facts.kind === "source" ? [] : ["inputs: []"]),
    ...Object.entries(body).map(([name, value]) =>
      value === null ? `${name}:` : `${name}: ${value}`,
    ),
  ];
}

function insertion(
  text: string,
  section: string,
  key: string,
  body: readonly string[],
): TextEdit | undefined {
  const { contents } = parseDocument(text, { merge: true });
  const lines = (indent: string, step: string): string =>
    [`${indent}${key}:`, ...body.map((line) => `${indent}${step}${line}`), ""].join("\n");
  const pair = isMap(contents)
    ? contents.items.find((item) => isScalar(item.key) && item.key.value === section)
    : undefined;
  if (pair === undefined) {
    if (isMap(contents) && contents.flow === true) return undefined;
    const before = text === "" || text.endsWith("\n") ? "" : "\n";
    const insert = `${before}${section}:\n${lines("  ", "  ")}`;
    return { from: text.length, to: text.length, insert };
  }
  const { value } = pair;
  if (!isMap(value) || value.flow === true || value.anchor !== undefined) return undefined;
  const indent = indentOf(text, value.items[0]);
  const end = endOf(value.items.at(-1));
  if (indent === undefined || end === undefined) return undefined;
  const newline = text.indexOf("\n", Math.max(0, end - 1));
  const at = newline < 0 ? text.length : newline + 1;
  const insert = `${newline < 0 ? "\n" : ""}${lines(indent, indent)}`;
  return { from: at, to: at, insert };
}

function indentOf(text: string, pair: Pair | undefined): string | undefined {
  if (!isScalar(pair?.key) || pair.key.range == null) return undefined;
  const [start] = pair.key.range;
  const indent = text.slice(text.lastIndexOf("\n", start - 1) + 1, start);
  return /^ +$/.test(indent) ? indent : undefined;
}

function endOf(pair: Pair | undefined): number | undefined {
  if (isNode(pair?.value) && pair.value.range != null) return pair.value.range[1];
  return isScalar(pair?.key) ? pair.key.range?.[1] : undefined;
}
