import type { Vrl, VrlKind } from "#vrl/vrl.ts";
import type { Catalogue } from "./catalogue.ts";
import type { GraphComponent, PipelineGraph } from "./graph.ts";
import { expandInputs, outputId, outputsOf } from "./ports.ts";
import { anyObject } from "./vrl-events.ts";
import { vrlPrograms } from "./vrl.ts";

/** A field that events have, as far as the programs before tell. */
export interface KnownField {
  /** A path of VRL, like `.http.status`. */
  readonly path: string;
  /** Types of VRL; `undefined` when it may be absent. */
  readonly types: readonly string[];
}

/** Transforms that change no event. */
const passThrough = new Set([
  "filter",
  "route",
  "exclusive_route",
  "sample",
  "throttle",
  "dedupe",
  "delay",
]);

/**
 * What each output may emit: the kinds of its inputs, and for remap those after its program. Information only: Vector
 * compiles every program as if nothing were known of its events, so kinds never make an error.
 */
export function kindsOf(
  graph: PipelineGraph,
  catalogue: Catalogue,
  engine: Vrl,
): ReadonlyMap<string, readonly VrlKind[]> {
  const byKey = new Map(graph.components.map((component) => [component.key, component]));
  const emitted = new Map<string, readonly VrlKind[]>();
  const inputKinds = (component: GraphComponent): readonly VrlKind[] => {
    const kinds = expandInputs(component, graph.components, catalogue).flatMap(kindsOfOutput);
    return unique(kinds.length === 0 ? [anyObject] : kinds);
  };
  const kindsOfOutput = (output: string): readonly VrlKind[] => {
    const known = emitted.get(output);
    if (known !== undefined) return known;
    // Stands while the inputs are followed, and ends a cycle.
    emitted.set(output, [anyObject]);
    const component = byKey.get(output.split(".", 1)[0] ?? output);
    if (component === undefined) return [anyObject];
    const kinds = output.endsWith(".dropped") ? [anyObject] : outputKinds(component);
    emitted.set(output, kinds);
    return kinds;
  };
  const outputKinds = (component: GraphComponent): readonly VrlKind[] => {
    if (component.kind === "source") return [anyObject];
    if (passThrough.has(component.type)) return inputKinds(component);
    const [program] = component.type === "remap" ? vrlPrograms(component) : [];
    if (program === undefined) return [anyObject];
    const target =
      engine.check(program.source, { target: inputKinds(component) }).target ??
      engine.check(program.source).target;
    return [target !== undefined && isObjectOnly(target) ? target : anyObject];
  };
  for (const component of graph.components) {
    for (const { name } of outputsOf(component, catalogue)) {
      kindsOfOutput(outputId(component.key, name));
    }
  }
  return emitted;
}

function isObjectOnly(kind: VrlKind): boolean {
  return (
    typeof kind === "object" &&
    kind.types.length === 0 &&
    kind.array === undefined &&
    kind.object !== undefined
  );
}

function unique(kinds: readonly VrlKind[]): readonly VrlKind[] {
  return [...new Map(kinds.map((kind) => [JSON.stringify(kind), kind])).values()];
}

/** The fields that a kind names, with those of objects in it, in the order of their paths. */
export function fieldsOf(kind: VrlKind, prefix = ""): readonly KnownField[] {
  if (typeof kind === "string" || kind.object === undefined) return [];
  return Object.entries(kind.object.known)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, member]) => {
      const path = `${prefix}.${/^[A-Za-z_@][\w@]*$/.test(name) ? name : JSON.stringify(name)}`;
      return [{ path, types: typesOf(member) }, ...fieldsOf(member, path)];
    })
    .filter(({ types }) => types.some((type) => type !== "undefined"));
}

function typesOf(kind: VrlKind): readonly string[] {
  if (typeof kind === "string") return [kind];
  return [
    ...kind.types,
    ...(kind.object === undefined ? [] : ["object"]),
    ...(kind.array === undefined ? [] : ["array"]),
  ];
}

/** The fields that are known of the events that a component reads, for completion and for the palette. */
export function knownFields(
  key: string,
  graph: PipelineGraph,
  catalogue: Catalogue,
  engine: Vrl,
): readonly KnownField[] {
  const component = graph.components.find((candidate) => candidate.key === key);
  if (component === undefined || component.kind === "source") return [];
  const kinds = kindsOf(graph, catalogue, engine);
  const inputs = expandInputs(component, graph.components, catalogue).flatMap(
    (input) => kinds.get(input) ?? [],
  );
  // An empty program joins the kinds of all inputs.
  const { target } = engine.check("null", { target: unique(inputs) });
  return target === undefined ? [] : fieldsOf(target);
}
