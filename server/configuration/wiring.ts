import type { Catalogue, DataType } from "./catalogue.ts";
import type { GraphComponent, PipelineGraph } from "./graph.ts";
import {
  everything,
  inputTypes,
  isWildcard,
  outputId,
  outputsOf,
  tableOutputs,
  wildcardMatcher,
  type Port,
} from "./ports.ts";

/** An output of a component that another one reads. */
export interface Edge {
  /** The component that emits, or the table. */
  readonly from: string;
  /** Null is the default output. */
  readonly output: string | null;
  /** As `inputs` names it. */
  readonly id: string;
}

/** How the components of a graph hang together. Computed once for a graph, and asked often. */
export interface Wiring {
  outputs(component: GraphComponent): readonly Port[];
  /** The inputs of a component with its patterns expanded against all others, as they will be deployed. */
  inputs(component: GraphComponent): readonly string[];
  /** Those inputs that exist. */
  edges(component: GraphComponent): readonly Edge[];
  /** The output with this id, whoever has it. */
  edge(id: string): Edge | undefined;
  /** What events an output can carry, as far as the components before it tell. */
  emitted(id: string): readonly DataType[];
  /** What reaches a component of what it accepts. */
  reaching(component: GraphComponent): readonly DataType[];
  component(key: string): GraphComponent | undefined;
  /** All ids of outputs, in the order of the graph. */
  readonly outputIds: readonly string[];
  /** Patterns match more than can be handled: some were not expanded. */
  readonly isTooLarge: boolean;
}

/** A few thousand patterns over a few thousand outputs would fill the memory. */
const maximumMatches = 200_000;

/** A transform that makes events of another type, or any it likes: what it gets tells nothing of its output. */
function converts(component: GraphComponent, catalogue: Catalogue): boolean {
  if (component.type === "lua") return true;
  const facts = catalogue.component(component.kind, component.type);
  return !(facts?.outputs ?? everything).every((type) =>
    (facts?.inputs ?? everything).includes(type),
  );
}

export function wire(graph: PipelineGraph, catalogue: Catalogue): Wiring {
  const byKey = new Map(graph.components.map((component) => [component.key, component]));
  const ports = new Map<string, readonly Port[]>();
  const edgesById = new Map<string, Edge>();
  const types = new Map<string, readonly DataType[]>();
  const add = (from: string, port: Port): string => {
    const id = outputId(from, port.name);
    edgesById.set(id, { from, output: port.name, id });
    types.set(id, port.types);
    return id;
  };
  const outputIds = graph.components.flatMap((component) => {
    const own = outputsOf(component, catalogue);
    ports.set(component.key, own);
    return own.map((port) => add(component.key, port));
  });
  // Patterns do not reach the outputs of tables.
  for (const { key, ports: own } of tableOutputs(graph.globalConfig)) {
    for (const port of own) add(key, port);
  }

  const matches = new Map<string, readonly string[]>();
  const matching = (pattern: string): readonly string[] => {
    let ids = matches.get(pattern);
    if (ids === undefined) {
      ids = outputIds.filter(wildcardMatcher(pattern));
      matches.set(pattern, ids);
    }
    return ids;
  };
  let left = maximumMatches;
  const expand = (component: GraphComponent): readonly string[] => {
    if (!component.inputs.some(isWildcard)) return [...new Set(component.inputs)];
    const expanded = component.inputs.flatMap((input) => {
      if (!isWildcard(input)) return [input];
      const found = matching(input);
      left -= found.length;
      return left < 0 ? [] : found.filter((id) => edgesById.get(id)?.from !== component.key);
    });
    return [...new Set(expanded)];
  };
  const inputs = new Map(graph.components.map((component) => [component.key, expand(component)]));
  const inputsOf = (component: GraphComponent): readonly string[] =>
    inputs.get(component.key) ?? expand(component);

  const emitted = new Map<string, readonly DataType[]>();
  const emittedBy = (id: string): readonly DataType[] => {
    const known = emitted.get(id);
    if (known !== undefined) return known;
    const own = types.get(id) ?? everything;
    // Stands while the inputs are followed, and ends a cycle.
    emitted.set(id, own);
    const component = byKey.get(edgesById.get(id)?.from ?? "");
    if (component?.kind !== "transform" || inputsOf(component).length === 0) return own;
    const reached = reaching(component);
    const passed =
      reached.length > 0 && converts(component, catalogue)
        ? own
        : own.filter((type) => reached.includes(type));
    emitted.set(id, passed);
    return passed;
  };
  const reaching = (component: GraphComponent): readonly DataType[] => {
    const sent = new Set(inputsOf(component).flatMap(emittedBy));
    return inputTypes(component, catalogue).filter((type) => sent.has(type));
  };

  return {
    outputs: (component) => ports.get(component.key) ?? [],
    inputs: inputsOf,
    edges: (component) => inputsOf(component).flatMap((id) => edgesById.get(id) ?? []),
    edge: (id) => edgesById.get(id),
    emitted: emittedBy,
    reaching,
    component: (key) => byKey.get(key),
    outputIds,
    isTooLarge: left < 0,
  };
}
