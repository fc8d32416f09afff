import type { Catalogue } from "../catalogue.ts";
import { freeKey, renameComponent, takenKeys } from "../edit/rename.ts";
import { keyPattern, nameRule, reservedPrefix, usableKey, type PipelineGraph } from "../graph.ts";
import type { TextFix } from "../edit/text-edits.ts";
import type { Report } from "./check.ts";

/** Each fix reads the text anew. */
const maximumFixes = 3;
const longestFixed = 200_000;

/** Finds names that components cannot have. */
export function checkNames(
  text: string,
  graph: PipelineGraph,
  catalogue: Catalogue,
  report: Report,
): void {
  const taken = takenKeys(graph);
  let fixed = 0;
  for (const component of graph.components) {
    const { key } = component;
    if (key.startsWith(reservedPrefix)) {
      report(component, [], `names that start with ${reservedPrefix} are reserved`);
    }
    if (keyPattern.test(key)) continue;
    const to = freeKey(usableKey(key), taken);
    const fixes = text.length > longestFixed || fixed >= maximumFixes ? [] : fix(key, to);
    fixed += fixes.length;
    const message = `the name ${key} cannot be used: ${nameRule}; ${to} can`;
    report(component, [], message, "error", fixes);
  }

  function fix(key: string, to: string): readonly TextFix[] {
    const renamed = renameComponent(text, key, to, catalogue);
    return renamed.kind === "impossible" || renamed.notes.length > 0
      ? []
      : [{ title: `Rename it to ${to}`, edits: renamed.edits }];
  }
}
