import type { Catalogue } from "../catalogue.ts";
import type { ParsedText, PipelineGraph } from "../graph.ts";
import { checkOptions } from "./check-options.ts";
import type { Report } from "./check.ts";
import { fixesOf, isAsWritten } from "./option-fixes.ts";

/** Options of the renderer and the agent: a person's would be overwritten, or would break telemetry. */
const ownedGlobals = new Set(["data_dir", "api", "secret", "provider"]);

/** Checks all that is in no component: top-level options, enrichment tables, and the shape of tests. */
export function checkGlobals(
  text: string,
  parsed: ParsedText,
  { globalConfig }: PipelineGraph,
  catalogue: Catalogue,
  report: Report,
): void {
  const known: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(globalConfig)) {
    if (ownedGlobals.has(name)) {
      report(undefined, [name], `the option ${name} is set by VectorFlow on each host: remove it`);
    } else if (!catalogue.globalNames.has(name)) {
      report(undefined, [name], `unknown top-level option ${name}`);
    } else {
      known[name] = value;
    }
  }
  for (const problem of checkOptions(known, catalogue.globalOptions, true)) {
    if (!isAsWritten(text, parsed, "", problem)) continue;
    const { path, message, severity } = problem;
    report(undefined, path, message, severity, fixesOf(text, parsed, "", problem));
  }
}
