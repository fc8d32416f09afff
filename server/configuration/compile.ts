import { maximumConfigBytes } from "#common/pipeline-size.ts";
import type { ProgramPlace } from "#vrl/check-text.ts";
import type { Vrl } from "#vrl/vrl.ts";
import { loadCatalogue, type DataType, type Kind } from "./catalogue.ts";
import { checkPrograms } from "./vrl/check-programs.ts";
import { timeZoneProblems } from "./vrl/time-zones.ts";
import { checkGraph, type CheckContext } from "./check/check.ts";
import { parsePipelineText, type PipelineGraph, type Problem } from "./graph.ts";
import type { EventFields } from "./vrl/event-fields.ts";
import { fieldsOf, type KnownField } from "./vrl/kinds.ts";
import { outputId } from "./ports.ts";
import { renderConfig } from "./render.ts";
import { wire, type Edge, type Wiring } from "./wiring.ts";

/** An output with what its events are. */
export interface WiredOutput {
  readonly name: string | null;
  readonly types: readonly DataType[];
  readonly fields: readonly KnownField[];
}

/** A component with what it reads and emits. */
export interface WiredComponent {
  readonly key: string;
  readonly kind: Kind;
  readonly type: string;
  /** With patterns expanded. */
  readonly inputs: readonly string[];
  readonly edges: readonly Edge[];
  readonly outputs: readonly WiredOutput[];
}

/** All that is known of a text. */
export interface CompiledPipeline {
  readonly graph: PipelineGraph | undefined;
  readonly components: readonly WiredComponent[];
  readonly programs: readonly ProgramPlace[];
  /** In the order of the text, errors first. */
  readonly problems: readonly Problem[];
  /** The configuration for hosts; undefined while there are errors, or when it was not asked for. */
  readonly configYaml: string | undefined;
}

/** Outputs beyond these have none: an answer must stay small, however many components a text has. */
const maximumFields = 20_000;

/** More tell nobody more; errors come first. */
const maximumProblems = 500;

/** Parses, checks and renders a text. `engine` is loaded only when there is a program or the name of a time zone. */
export function compilePipeline(
  text: string,
  context: CheckContext,
  engine: () => Vrl,
): CompiledPipeline {
  const parsed = parsePipelineText(text);
  const { graph } = parsed;
  if (graph === undefined) {
    return {
      graph,
      components: [],
      programs: [],
      problems: parsed.problems,
      configYaml: undefined,
    };
  }
  const catalogue = loadCatalogue();
  const wiring = wire(graph, catalogue);
  const programs = checkPrograms(text, parsed, graph, wiring, catalogue, engine);
  const problems = [
    ...parsed.problems,
    ...checkGraph(text, parsed, graph, wiring, catalogue, context),
    ...programs.problems,
    ...timeZoneProblems(parsed, graph, catalogue, engine),
  ];
  const hasErrors = problems.some(({ severity }) => severity === "error");
  const wanted = !hasErrors && context.rendered !== false;
  const rendered = wanted ? renderConfig(graph, wiring) : undefined;
  const tooLarge = rendered === undefined ? undefined : configProblem(rendered);
  if (tooLarge !== undefined) problems.push(tooLarge);
  const rank = { error: 0, warning: 1 };
  return {
    graph,
    components: wiredComponents(graph, wiring, programs.events),
    programs: programs.places,
    problems: problems
      .toSorted(
        (a, b) => rank[a.severity] - rank[b.severity] || (a.span?.from ?? 0) - (b.span?.from ?? 0),
      )
      .slice(0, maximumProblems),
    configYaml: tooLarge === undefined ? rendered : undefined,
  };
}

function configProblem(rendered: string): Problem | undefined {
  const bytes = Buffer.byteLength(rendered);
  if (bytes <= maximumConfigBytes) return undefined;
  const most = `${maximumConfigBytes / 1e6} MB`;
  return {
    severity: "error",
    message: `the configuration for hosts has ${bytes} bytes, with aliases unfolded and wildcards as names; at most ${most} are sent`,
    componentKey: "",
    field: "",
    span: undefined,
  };
}

function wiredComponents(
  graph: PipelineGraph,
  wiring: Wiring,
  events: EventFields,
): readonly WiredComponent[] {
  let left = maximumFields;
  return graph.components.map((component) => {
    const { key, kind, type } = component;
    const outputs = wiring.outputs(component).map(({ name }) => {
      const id = outputId(key, name);
      const { likely, sure } = events.emitted(id);
      const fields = fieldsOf(likely, sure).slice(0, left);
      left -= fields.length;
      return { name, types: wiring.emitted(id), fields };
    });
    return {
      key,
      kind,
      type,
      inputs: wiring.inputs(component),
      edges: wiring.edges(component),
      outputs,
    };
  });
}
