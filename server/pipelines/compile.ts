import type { Vrl } from "#vrl/vrl.ts";
import { loadCatalogue, type Kind } from "./catalogue.ts";
import { checkGraph, type CheckContext } from "./check.ts";
import {
  isRecord,
  parsePipelineText,
  type GraphComponent,
  type PipelineGraph,
  type Problem,
} from "./graph.ts";
import { outputId, type Port } from "./ports.ts";
import { renderConfig } from "./render.ts";
import { eventKindsIn } from "./vrl-events.ts";
import { checkVrl, vrlPrograms } from "./vrl.ts";
import { wire, type Edge, type Wiring } from "./wiring.ts";

/** A component with what it reads and emits. */
export interface WiredComponent {
  readonly key: string;
  readonly kind: Kind;
  readonly type: string;
  /** With patterns expanded. */
  readonly inputs: readonly string[];
  readonly edges: readonly Edge[];
  readonly outputs: readonly Port[];
}

/** All that is known of a text. */
export interface CompiledPipeline {
  readonly graph: PipelineGraph | undefined;
  readonly components: readonly WiredComponent[];
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
  if (graph === undefined) {
    return { graph, components: [], problems: parsed.problems, configYaml: undefined };
  }
  const catalogue = loadCatalogue();
  const wiring = wire(graph, catalogue);
  const problems = [
    ...parsed.problems,
    ...checkGraph(text, parsed, graph, wiring, catalogue, context),
  ];
  const tables = graph.globalConfig["enrichment_tables"];
  const tableNames = isRecord(tables) ? Object.keys(tables) : [];
  const eventKinds = eventKindsIn(graph, wiring, catalogue);
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
    components: graph.components.map((component) => wired(component, wiring)),
    problems: problems
      .toSorted(
        (a, b) => rank[a.severity] - rank[b.severity] || (a.span?.from ?? 0) - (b.span?.from ?? 0),
      )
      .slice(0, maximumProblems),
    configYaml: hasErrors ? undefined : renderConfig(graph, wiring),
  };
}

function wired(component: GraphComponent, wiring: Wiring): WiredComponent {
  const { key, kind, type } = component;
  return {
    key,
    kind,
    type,
    inputs: wiring.inputs(component),
    edges: wiring.edges(component),
    outputs: wiring
      .outputs(component)
      .map(({ name }) => ({ name, types: wiring.emitted(outputId(key, name)) })),
  };
}
