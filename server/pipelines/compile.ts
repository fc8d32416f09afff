import type { Vrl } from "#vrl/vrl.ts";
import { loadCatalogue } from "./catalogue.ts";
import { checkGraph, type CheckContext } from "./check.ts";
import { isRecord, parsePipelineText, type PipelineGraph, type Problem } from "./graph.ts";
import { renderConfig } from "./render.ts";
import { eventKindsIn } from "./vrl-events.ts";
import { checkVrl, vrlPrograms } from "./vrl.ts";

/** All that is known of a text. */
export interface CompiledPipeline {
  readonly graph: PipelineGraph | undefined;
  /** In the order of the text, errors first. */
  readonly problems: readonly Problem[];
  /** The configuration for hosts; undefined while there are errors. */
  readonly configYaml: string | undefined;
}

/** More tell nobody more; errors come first. */
const maximumProblems = 500;

/** Larger programs are left to the hosts' own Vector: the compiler's time grows faster than their length. */
const maximumVrlLength = 65_536;

/** Parses, checks and renders a text. `engine` is loaded only when there is a program to compile. */
export function compilePipeline(
  text: string,
  context: CheckContext,
  engine: () => Vrl,
): CompiledPipeline {
  const parsed = parsePipelineText(text);
  const { graph } = parsed;
  if (graph === undefined) return { graph, problems: parsed.problems, configYaml: undefined };
  const catalogue = loadCatalogue();
  const problems = [...parsed.problems, ...checkGraph(parsed, graph, catalogue, context)];
  const tables = graph.globalConfig["enrichment_tables"];
  const tableNames = isRecord(tables) ? Object.keys(tables) : [];
  const eventKinds = eventKindsIn(graph, catalogue);
  for (const program of graph.components.flatMap(vrlPrograms)) {
    if (program.source.length > maximumVrlLength) continue;
    const events = program.component.type === "remap" ? eventKinds(program.component) : {};
    const options = { ...events, tables: tableNames };
    problems.push(...checkVrl(program, parsed, text, options, engine()));
  }
  const hasErrors = problems.some(({ severity }) => severity === "error");
  const rank = { error: 0, warning: 1 };
  return {
    graph,
    problems: problems
      .toSorted(
        (a, b) => rank[a.severity] - rank[b.severity] || (a.span?.from ?? 0) - (b.span?.from ?? 0),
      )
      .slice(0, maximumProblems),
    configYaml: hasErrors ? undefined : renderConfig(graph, catalogue),
  };
}
