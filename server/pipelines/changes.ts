import { isDeepStrictEqual } from "node:util";
import type { PipelineGraph } from "./graph.ts";

/** What a deploy does to one component. */
export interface ComponentChange {
  readonly key: string;
  readonly kind: "added" | "removed" | "changed" | "reconnected";
}

/** How a graph differs from the one that is deployed. Comments, order and places are no difference. Pure. */
export function compareGraphs(
  deployed: PipelineGraph | undefined,
  next: PipelineGraph,
): ComponentChange[] {
  const before = new Map(deployed?.components.map((component) => [component.key, component]));
  const changes: ComponentChange[] = [];
  for (const component of next.components) {
    const old = before.get(component.key);
    before.delete(component.key);
    if (old === undefined) changes.push({ key: component.key, kind: "added" });
    else if (
      old.kind !== component.kind ||
      old.type !== component.type ||
      !isDeepStrictEqual(old.config, component.config)
    ) {
      changes.push({ key: component.key, kind: "changed" });
    } else if (!isDeepStrictEqual(old.inputs, component.inputs)) {
      changes.push({ key: component.key, kind: "reconnected" });
    }
  }
  for (const key of before.keys()) changes.push({ key, kind: "removed" });
  return changes;
}
