import type { Vrl } from "#vrl/vrl.ts";
import { loadCatalogue } from "./catalogue.ts";
import { checkGraph, type CheckContext } from "./check.ts";
import { isRecord, parsePipelineText, type PipelineGraph, type Problem } from "./graph.ts";
import { fillPlaceholders, placeholdersIn, type FilledText } from "./placeholders.ts";
import { renderConfig } from "./render.ts";
import { eventKindsIn } from "./vrl-events.ts";
import { checkVrl, vrlPrograms } from "./vrl.ts";

/** All that is known of a text. */
export interface CompiledPipeline {
  /** As people wrote it. */
  readonly graph: PipelineGraph | undefined;
  /** With the values of variables in their places: what hosts run. */
  readonly filledGraph: PipelineGraph | undefined;
  /** The variables that were used, with their values. */
  readonly variables: Readonly<Record<string, string>>;
  /** In the order of the text, errors first. */
  readonly problems: readonly Problem[];
  /** The configuration for hosts; undefined while there are errors. */
  readonly configYaml: string | undefined;
}

/** More tell nobody more; errors come first. */
const maximumProblems = 500;

/** Larger programs are left to the hosts' own Vector: the compiler's time grows faster than their length. */
const maximumVrlLength = 65_536;

/**
 * Parses, checks and renders a text, with the values of variables in their places: all that is checked is what hosts
 * get. `engine` is loaded only when there is a program to compile.
 */
export function compilePipeline(
  text: string,
  context: CheckContext,
  engine: () => Vrl,
): CompiledPipeline {
  const valueOf = (name: string): string | undefined => context.variables?.get(name);
  const filled = fillPlaceholders(text, "VAR", valueOf, loadCatalogue());
  if (filled === undefined) {
    const compiled = compileText(text, context, engine);
    return { ...compiled, filledGraph: compiled.graph, variables: {} };
  }
  const compiled = compileText(filled.text, context, engine);
  const missing = filled.missing.map(({ name, componentKey, path, span }): Problem => ({
    severity: "error",
    message: `there is no variable named ${name} in this environment`,
    componentKey,
    field: path.join("."),
    span,
  }));
  return {
    problems: [
      ...missing,
      ...compiled.problems.map((problem) => atOriginal(problem, filled, text)),
    ].slice(0, maximumProblems),
    graph: parsePipelineText(text).graph,
    filledGraph: compiled.graph,
    variables: filled.used,
    configYaml: missing.length > 0 ? undefined : compiled.configYaml,
  };
}

/** A problem of the filled text, at its place in the one that was written. */
function atOriginal(problem: Problem, filled: FilledText, text: string): Problem {
  const { span, moveToSecret: _, ...rest } = problem;
  if (span === undefined) return problem;
  const from = filled.original(span.from);
  const place = { from, to: Math.max(filled.original(span.to), from + 1) };
  // What a variable holds cannot be moved from here.
  const isVariable = placeholdersIn(text.slice(place.from, place.to), "VAR").length > 0;
  return isVariable ? { ...rest, span: place } : { ...problem, span: place };
}

type CompiledText = Pick<CompiledPipeline, "graph" | "problems" | "configYaml">;

function compileText(text: string, context: CheckContext, engine: () => Vrl): CompiledText {
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
