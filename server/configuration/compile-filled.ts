import type { Vrl } from "#vrl/vrl.ts";
import { loadCatalogue } from "./catalogue.ts";
import type { CheckContext } from "./check/check.ts";
import { compilePipeline, type CompiledPipeline } from "./compile.ts";
import { parsePipelineText, type PipelineGraph, type Problem, type Span } from "./graph.ts";
import { fillPlaceholders, placeholdersIn, type FilledText } from "./placeholders.ts";

/** All that is known of a text whose variables have their values. */
export interface FilledPipeline extends CompiledPipeline {
  /** With the values of variables in their places: what hosts run. `graph` is as people wrote it. */
  readonly filledGraph: PipelineGraph | undefined;
  /** The variables that were used, with their values. */
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * Compiles a text with the values of variables in their places, so that all that is checked is what hosts get. Places
 * of problems lead to the text that was written.
 */
export function compileFilled(
  text: string,
  context: CheckContext,
  engine: () => Vrl,
): FilledPipeline {
  const valueOf = (name: string): string | undefined => context.variables?.get(name);
  const filled = fillPlaceholders(text, "VAR", valueOf, loadCatalogue());
  if (filled === undefined) {
    const compiled = compilePipeline(text, context, engine);
    return { ...compiled, filledGraph: compiled.graph, variables: {} };
  }
  const compiled = compilePipeline(filled.text, context, engine);
  const missing = filled.missing.map(({ name, componentKey, path, span }): Problem => ({
    severity: "error",
    message: `there is no variable named ${name} in this environment`,
    componentKey,
    field: path.join("."),
    span,
  }));
  return {
    ...compiled,
    problems: [
      ...missing,
      ...compiled.problems.map((problem) => atOriginal(problem, filled, text)),
    ].slice(0, maximumProblems),
    graph: parsePipelineText(text).graph,
    // They are compiled with values that the text does not have.
    programs: [],
    filledGraph: compiled.graph,
    variables: filled.used,
    configYaml: missing.length > 0 ? undefined : compiled.configYaml,
  };
}

/** As many as of a text without variables. */
const maximumProblems = 500;

/** A problem of the filled text, at its place in the one that was written. */
function atOriginal(problem: Problem, filled: FilledText, text: string): Problem {
  const { span, moveToSecret: _, fixes: _fixes, ...rest } = problem;
  if (span === undefined) return problem;
  const placeOf = ({ from, to }: Span): Span => {
    const start = filled.original(from);
    return { from: start, to: to === from ? start : Math.max(filled.original(to), start + 1) };
  };
  const place = placeOf(span);
  // What a variable holds cannot be moved from here.
  const isVariable = placeholdersIn(text.slice(place.from, place.to), "VAR").length > 0;
  if (isVariable) return { ...rest, span: place };
  const fixes = problem.fixes?.map((fix) => ({
    ...fix,
    edits: fix.edits.map((edit) => ({ ...edit, ...placeOf(edit) })),
  }));
  return { ...problem, span: place, ...(fixes === undefined ? {} : { fixes }) };
}
