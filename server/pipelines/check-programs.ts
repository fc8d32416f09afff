import type { Vrl, VrlCompileOptions, VrlKind } from "#vrl/vrl.ts";
import type { Catalogue } from "./catalogue.ts";
import { followEvents, markedEvent, type EventFields, type EventKind } from "./event-fields.ts";
import {
  isRecord,
  type GraphComponent,
  type ParsedText,
  type PipelineGraph,
  type Problem,
} from "./graph.ts";
import { anyObject } from "./kinds.ts";
import { testPrograms } from "./test-programs.ts";
import { eventKindsIn } from "./vrl-events.ts";
import { checkVrl, compileVrl, vrlPrograms } from "./vrl.ts";
import type { Wiring } from "./wiring.ts";

/** Larger programs are left to the hosts' own Vector: the compiler's time grows faster than their length. */
const maximumVrlLength = 65_536;

/**
 * Compiles all programs of a graph as Vector does, and follows with their results what is known of events. Vector takes
 * nothing of that into account, so it makes no error and takes none away, unless its schemas are switched on: then it
 * knows more of sources than is known here, and has the last word.
 */
export function checkPrograms(
  text: string,
  parsed: ParsedText,
  graph: PipelineGraph,
  wiring: Wiring,
  catalogue: Catalogue,
  engine: () => Vrl,
): { readonly problems: readonly Problem[]; readonly events: EventFields } {
  const tables = graph.globalConfig["enrichment_tables"];
  const tableNames = isRecord(tables) ? Object.keys(tables) : [];
  const eventKinds = eventKindsIn(graph, wiring, catalogue);
  const targetOf = (component: GraphComponent, before: EventKind): readonly VrlKind[] => {
    const { target = [] } = eventKinds(component);
    return target.map((kind) => (kind === anyObject ? markedEvent(before) : kind));
  };
  const events = followEvents(graph, wiring, (component, before) => {
    const [program] = vrlPrograms(component);
    if (program === undefined || program.source.length > maximumVrlLength) return undefined;
    const target = targetOf(component, before);
    // The events of one kind only can be told apart.
    if (target.length !== 1 || typeof target[0] === "string") return undefined;
    const options = { ...eventKinds(component), target, tables: tableNames };
    return compileVrl(program, options, engine()).target;
  });
  const { schema } = graph.globalConfig;
  const followsKinds = isRecord(schema) && schema["enabled"] === true;
  const programs = [...graph.components.flatMap(vrlPrograms), ...testPrograms(graph.globalConfig)];
  const problems = programs.flatMap((program) => {
    const { component, source } = program;
    if (source.length > maximumVrlLength) return [];
    const kindsOf = (remap: GraphComponent): VrlCompileOptions => {
      const reaching = events.reaching(remap);
      const target = followsKinds ? [reaching.sure] : targetOf(remap, reaching);
      return { ...eventKinds(remap), target };
    };
    const kinds = component?.type === "remap" ? kindsOf(component) : {};
    const found = checkVrl(program, parsed, text, { ...kinds, tables: tableNames }, engine());
    return followsKinds ? found.map(leaveToVector) : found;
  });
  return { problems, events };
}

function leaveToVector(problem: Problem): Problem {
  return problem.severity === "error"
    ? {
        ...problem,
        severity: "warning",
        message: `${problem.message}; schemas are on: Vector decides`,
      }
    : problem;
}
