import { Document, isMap, parseDocument, type YAMLMap } from "yaml";
import type { GraphComponent, PipelineGraph } from "./graph.ts";
import { isWildcard } from "./ports.ts";
import type { Wiring } from "./wiring.ts";

/**
 * Renders a graph as the configuration that hosts get: top-level options, then sources, transforms and
 * sinks in their order, with the bodies as people wrote them and wildcards in inputs expanded against the
 * pipeline's own components, so that nothing injected later is ever caught by one. The same graph gives
 * the same bytes. Pure.
 */
export function renderConfig(graph: PipelineGraph, wiring: Wiring): string {
  const document = new Document({}, { merge: true });
  const globals = parseDocument(graph.globalYaml, { merge: true });
  if (isMap(globals.contents)) document.contents = globals.contents;
  const root = document.contents as YAMLMap;
  root.flow = false;
  for (const kind of ["source", "transform", "sink"] as const) {
    const components = graph.components.filter((component) => component.kind === kind);
    if (components.length === 0) continue;
    const section = document.createNode({}) as YAMLMap;
    for (const component of components) {
      section.add({ key: component.key, value: bodyOf(component, wiring) });
    }
    root.add({ key: `${kind}s`, value: section });
  }
  return document.toString({ lineWidth: 0 });
}

/** Kept bodies are forgotten all at once when their texts have more UTF-16 code units together. */
const maximumKeptLength = 1_048_576;
const kept = new Map<string, unknown>();
let keptLength = 0;

/** The body of a component as a node. Texts that are rendered again, as most are while one types, are parsed once. */
function bodyOf(component: GraphComponent, wiring: Wiring): unknown {
  if (component.inputs.some(isWildcard)) {
    const body = parseDocument(component.yaml, { merge: true });
    body.set("inputs", body.createNode(wiring.inputs(component)));
    return body.contents;
  }
  let node = kept.get(component.yaml);
  if (node === undefined) {
    node = parseDocument(component.yaml, { merge: true }).contents;
    if (keptLength > maximumKeptLength) {
      kept.clear();
      keptLength = 0;
    }
    kept.set(component.yaml, node);
    keptLength += component.yaml.length;
  }
  return node;
}
