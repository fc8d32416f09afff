import { Document, isMap, parseDocument, type YAMLMap } from "yaml";
import type { PipelineGraph } from "./graph.ts";
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
      const body = parseDocument(component.yaml, { merge: true });
      if (component.inputs.some(isWildcard)) {
        body.set("inputs", body.createNode(wiring.inputs(component)));
      }
      section.add({ key: component.key, value: body.contents });
    }
    root.add({ key: `${kind}s`, value: section });
  }
  return document.toString({ lineWidth: 0 });
}
