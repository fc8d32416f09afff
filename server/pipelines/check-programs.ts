import {
  certainFailures,
  hasFailingFields,
  maximumVrlLength,
  type ProgramPlace,
} from "#vrl/check-text.ts";
import type { Vrl, VrlChecked, VrlCompileOptions, VrlKind } from "#vrl/vrl.ts";
import type { Catalogue } from "./catalogue.ts";
import { followEvents, markedEvent, type EventFields, type EventKind } from "./event-fields.ts";
import {
  isRecord,
  type GraphComponent,
  type ParsedText,
  type PipelineGraph,
  type Problem,
} from "./graph.ts";
import { anyObject, membersOf, objectOf } from "./kinds.ts";
import { testPrograms } from "./test-programs.ts";
import { eventKindsIn } from "./vrl-events.ts";
import { compileVrl, problemsOf, vrlPrograms, type VrlProgram } from "./vrl.ts";
import type { Wiring } from "./wiring.ts";

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
): {
  readonly problems: readonly Problem[];
  readonly events: EventFields;
  /** Where the programs are, for those who compile them by themselves. */
  readonly places: readonly ProgramPlace[];
} {
  const tables = graph.globalConfig["enrichment_tables"];
  const tableNames = isRecord(tables) ? Object.keys(tables) : [];
  const eventKinds = eventKindsIn(graph, wiring, catalogue);
  const { schema } = graph.globalConfig;
  const followsKinds = isRecord(schema) && schema["enabled"] === true;
  /** What the compiler says of the programs of remap transforms, from events whose fields are marked. */
  const compiled = new Map<string, VrlChecked>();
  const compileRemap = (program: VrlProgram, remap: GraphComponent, before: EventKind) => {
    const kinds = eventKinds(remap);
    const target = (kinds.target ?? []).map((kind) =>
      kind === anyObject ? markedEvent(before, program.source) : kind,
    );
    const checked = compileVrl(program, { ...kinds, target, tables: tableNames }, engine());
    compiled.set(remap.key, checked);
    // The events of one kind only can be told apart.
    return target.length === 1 && typeof target[0] === "object" ? checked.target : undefined;
  };
  const events = followEvents(graph, wiring, (component, before) => {
    const [program] = vrlPrograms(component);
    return program === undefined || program.source.length > maximumVrlLength
      ? undefined
      : compileRemap(program, component, before);
  });
  const programs = [
    ...graph.components.flatMap(vrlPrograms),
    ...testPrograms(graph.globalConfig),
  ].filter(({ source }) => source.length <= maximumVrlLength);
  const check = (program: VrlProgram): VrlChecked => {
    const { component } = program;
    if (component?.type !== "remap") {
      return compileVrl(program, { tables: tableNames }, engine());
    }
    const reaching = events.reaching(component);
    if (followsKinds) {
      const kinds = { ...eventKinds(component), target: [reaching.sure] };
      return compileVrl(program, { ...kinds, tables: tableNames }, engine());
    }
    // A program that nothing reads has not been followed.
    if (!compiled.has(component.key)) compileRemap(program, component, reaching);
    return compiled.get(component.key) ?? compileVrl(program, { tables: tableNames }, engine());
  };
  /** What every event is that comes to a program of a transform, where that may be of use. */
  const certainKind = ({ component, source }: VrlProgram): VrlKind | undefined => {
    if (component?.kind !== "transform") return undefined;
    const { known = {} } = membersOf(events.reaching(component).sure) ?? {};
    const named = Object.entries(known).filter(([name]) => source.includes(name));
    const kind = objectOf(Object.fromEntries(named));
    return hasFailingFields(kind) ? kind : undefined;
  };
  const optionsOf = ({ component, condition }: VrlProgram): VrlCompileOptions => {
    const kinds = component?.type === "remap" ? eventKinds(component) : {};
    return { ...kinds, tables: tableNames, condition };
  };
  const placeOf = (program: VrlProgram): ProgramPlace => {
    const certain = certainKind(program);
    return {
      componentKey: program.component?.key ?? "",
      path: program.path.map(String),
      options: optionsOf(program),
      ...(certain === undefined ? {} : { certain }),
    };
  };
  const problems = programs.flatMap((program) => {
    const checked = check(program);
    const found = problemsOf(program, checked, parsed, text);
    if (followsKinds) return found.map(leaveToVector);
    const certain = checked.diagnostics.length > 0 ? undefined : certainKind(program);
    if (certain === undefined) return found;
    const failures = certainFailures(
      program.source,
      certain,
      optionsOf(program),
      (source, options) => engine().check(source, options),
    );
    return problemsOf(program, failures, parsed, text);
  });
  // Where Vector follows kinds, only the server does.
  const places = followsKinds ? [] : programs.map((program) => placeOf(program));
  return { problems, events, places };
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
