import { isDeepStrictEqual } from "node:util";
import type { Catalogue } from "./catalogue.ts";
import { isRecord, type GraphComponent, type PipelineGraph } from "./graph.ts";
import { wire } from "./wiring.ts";

/** What a deploy does to one component. */
export interface ComponentChange {
  readonly key: string;
  readonly kind: "added" | "removed" | "changed" | "reconnected";
  /** Dotted paths of the options that differ, `type` and `inputs` too; empty when it is added or removed. */
  readonly fields: readonly string[];
}

/** What hosts do with a deploy. */
export type DeployEffect =
  /** They see no difference. */
  | "nothing"
  /** They start the pipeline. */
  | "start"
  /** Vector takes it over while it runs: components that changed are built anew, the others go on. */
  | "reload"
  /** Vector's process is drained and started again: an option changed that a reload cannot take over. */
  | "restart";

/** How a configuration differs from another. */
export interface ConfigChanges {
  readonly components: readonly ComponentChange[];
  /** Dotted paths of top-level options that differ. */
  readonly options: readonly string[];
  readonly effect: DeployEffect;
}

/** Top-level options whose changes Vector takes over while it runs; the agent has the same list. */
const reloadable = new Set(["enrichment_tables", "healthchecks", "tests"]);
/** Differences that people read; more tell nobody more. */
const maximumFields = 50;

/**
 * How a graph differs from the one that is deployed, as Vector sees it: comments, order and places are no difference,
 * and patterns in inputs are what they stand for. Pure.
 */
export function compareConfigs(
  deployed: PipelineGraph | undefined,
  next: PipelineGraph,
  catalogue: Catalogue,
): ConfigChanges {
  const before = new Map(deployed?.components.map((component) => [component.key, component]));
  const wiring = wire(next, catalogue);
  const oldWiring = deployed === undefined ? undefined : wire(deployed, catalogue);
  const components: ComponentChange[] = [];
  for (const component of next.components) {
    const old = before.get(component.key);
    before.delete(component.key);
    if (old === undefined || oldWiring === undefined) {
      components.push({ key: component.key, kind: "added", fields: [] });
      continue;
    }
    const change = compareComponents(
      { component: old, inputs: oldWiring.inputs(old) },
      { component, inputs: wiring.inputs(component) },
    );
    if (change !== undefined) components.push(change);
  }
  for (const key of before.keys()) components.push({ key, kind: "removed", fields: [] });
  const options = differingPaths(deployed?.globalConfig ?? {}, next.globalConfig);
  return { components, options, effect: effectOf(deployed, components, options) };
}

interface Connected {
  readonly component: GraphComponent;
  readonly inputs: readonly string[];
}

function compareComponents(old: Connected, next: Connected): ComponentChange | undefined {
  const { key, kind, type, config } = next.component;
  const fields = [
    ...(old.component.type === type && old.component.kind === kind ? [] : ["type"]),
    ...differingPaths(old.component.config, config),
  ];
  const reconnected = !isDeepStrictEqual(old.inputs, next.inputs);
  if (fields.length > 0) {
    return { key, kind: "changed", fields: reconnected ? ["inputs", ...fields] : fields };
  }
  return reconnected ? { key, kind: "reconnected", fields: ["inputs"] } : undefined;
}

function effectOf(
  deployed: PipelineGraph | undefined,
  components: readonly ComponentChange[],
  options: readonly string[],
): DeployEffect {
  if (deployed === undefined) return "start";
  if (options.some((path) => !reloadable.has(path.split(".", 1)[0] ?? ""))) return "restart";
  return components.length > 0 || options.length > 0 ? "reload" : "nothing";
}

/** The paths at which two values differ: as deep as both are maps, or lists of one length. */
function differingPaths(before: unknown, after: unknown): readonly string[] {
  const found: string[] = [];
  const walk = (a: unknown, b: unknown, path: string): void => {
    if (found.length >= maximumFields || isDeepStrictEqual(a, b)) return;
    const below = (name: string | number): string => (path === "" ? `${name}` : `${path}.${name}`);
    if (isRecord(a) && isRecord(b)) {
      for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
        walk(a[name], b[name], below(name));
      }
    } else if (Array.isArray(a) && Array.isArray(b) && a.length === b.length) {
      a.forEach((item: unknown, index) => walk(item, b[index], below(index)));
    } else found.push(path);
  };
  walk(before, after, "");
  return found;
}
