import { loadCatalogue } from "./catalogue.ts";
import { checkGraph, type CheckContext } from "./check.ts";
import { parsePipelineText, type PipelineGraph, type Problem } from "./graph.ts";
import { renderConfig } from "./render.ts";
import { describeVrl, vrlPrograms, type VrlEngine } from "./vrl.ts";

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

/** Parses, checks and renders a text. `engine` is asked only when there is a program to compile. */
export async function compilePipeline(
  text: string,
  context: CheckContext,
  engine: () => Promise<VrlEngine>,
): Promise<CompiledPipeline> {
  const parsed = parsePipelineText(text);
  const { graph } = parsed;
  if (graph === undefined) return { graph, problems: parsed.problems, configYaml: undefined };
  const catalogue = loadCatalogue();
  const problems = [...parsed.problems, ...checkGraph(parsed, graph, catalogue, context)];
  for (const component of graph.components) {
    for (const { path, source } of vrlPrograms(component)) {
      if (source.length > maximumVrlLength) continue;
      const message = describeVrl(source, (await engine()).check(source));
      if (message === undefined) continue;
      const span = parsed.locate(component.key, path);
      problems.push({
        severity: "error",
        message,
        componentKey: component.key,
        field: path.join("."),
        span,
      });
    }
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
