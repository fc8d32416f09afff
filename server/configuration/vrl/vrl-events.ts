import type { VrlCompileOptions, VrlKind } from "#vrl/vrl.ts";
import type { Catalogue } from "../catalogue.ts";
import { isRecord, type GraphComponent, type PipelineGraph } from "../graph.ts";
import { anyObject } from "./kinds.ts";
import { inputTypes, outputId } from "../ports.ts";
import type { Wiring } from "../wiring.ts";

type EventKinds = Pick<VrlCompileOptions, "target" | "metadata">;

/**
 * What Vector takes the events of a remap transform for when it compiles its program: objects, unless no log reaches
 * it, or one whose source uses Vector's own log namespace. Fields are never known: schemas are off in Vector.
 */
export function eventKindsIn(
  graph: PipelineGraph,
  wiring: Wiring,
  catalogue: Catalogue,
): (component: GraphComponent) => EventKinds {
  const schema = graph.globalConfig["schema"];
  const namespaced = isRecord(schema) && schema["log_namespace"] === true;
  const ofLogs = new Map<string, GraphComponent>();
  for (const component of graph.components) {
    for (const { name, types } of wiring.outputs(component)) {
      if (types.includes("log")) ofLogs.set(outputId(component.key, name), component);
    }
  }
  const known = new Map<string, ReadonlySet<VrlKind>>();
  /** The kinds of the logs that reach a component; one set for all its outputs. */
  const reaching = (component: GraphComponent): ReadonlySet<VrlKind> => {
    const before = known.get(component.key);
    if (before !== undefined) return before;
    const kinds = new Set<VrlKind>();
    // Set before its inputs are followed, so that a cycle ends.
    known.set(component.key, kinds);
    for (const input of wiring.inputs(component)) {
      const upstream = ofLogs.get(input);
      if (upstream === undefined) continue;
      if (upstream.kind === "transform" && inputTypes(upstream, catalogue).includes("log")) {
        for (const kind of reaching(upstream)) kinds.add(kind);
      } else {
        kinds.add((upstream.config["log_namespace"] ?? namespaced) === true ? "any" : anyObject);
      }
    }
    return kinds;
  };
  return (component) => {
    const kinds = [...reaching(component)];
    return kinds.length === 0
      ? { target: ["any"], metadata: ["any"] }
      : { target: kinds, metadata: [anyObject] };
  };
}
