import { isDeepStrictEqual } from "node:util";
import { isMap, isNode, isScalar, parseDocument, type Pair } from "yaml";
import { applyEdits, type TextEdit } from "#common/apply-edits.ts";
import type { Catalogue, ComponentFacts, Kind } from "../catalogue.ts";
import { parsePipelineText } from "../graph.ts";
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
  const required = catalogue
    .options(facts)
    .filter(
      ({ path, required: needed, default: value }) =>
        needed === true && value === undefined && !/[.[]/.test(path) && path !== "inputs",
    );
  return [
    `type: ${facts.type}`,
    ...(facts.kind === "source" ? [] : ["inputs: []"]),
    ...required.map(({ path, enum: values }) =>
      values?.[0] === undefined ? `${path}:` : `${path}: ${values[0]}`,
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
