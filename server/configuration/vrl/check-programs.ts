import {
  certainFailures,
  hasFailingFields,
  maximumVrlLength,
  type ProgramPlace,
} from "#vrl/check-text.ts";
import type { Vrl, VrlChecked, VrlCompileOptions, VrlKind, VrlToCheck } from "#vrl/vrl.ts";
import type { Catalogue } from "../catalogue.ts";
import { followEvents, markedEvent, typedEvent, type EventFields } from "./event-fields.ts";
import {
  isRecord,
  type GraphComponent,
  type ParsedText,
  type PipelineGraph,
  type Problem,
} from "../graph.ts";
import { anyObject, membersOf, objectOf } from "./kinds.ts";
import { testPrograms } from "./test-programs.ts";
import { eventKindsIn } from "./vrl-events.ts";
import { problemsOf, toCheck, vrlPrograms, type VrlProgram } from "./vrl.ts";
import type { Wiring } from "../wiring.ts";

export interface CheckedPrograms {
  readonly problems: readonly Problem[];
  readonly events: EventFields;
  /** Where the programs are, for those who compile them by themselves. */
  readonly places: readonly ProgramPlace[];
}

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
): CheckedPrograms {
  const programs = [
    ...graph.components.flatMap(vrlPrograms),
    ...testPrograms(graph.globalConfig),
  ].filter(({ source }) => source.length <= maximumVrlLength);
  const checker = new ProgramChecker(programs, graph, wiring, catalogue, engine);
  return {
    problems: programs.flatMap((program) => checker.problems(program, parsed, text)),
    events: checker.events,
    // Where Vector follows kinds, only the server does.
    places: checker.followsKinds ? [] : programs.map((program) => checker.place(program)),
  };
}

class ProgramChecker {
  readonly events: EventFields;
  /** Vector's schemas are on. */
  readonly followsKinds: boolean;
  readonly #tables: readonly string[];
  readonly #eventKinds: ReturnType<typeof eventKindsIn>;
  readonly #engine: () => Vrl;
  /** What the compiler says; of the programs of remap transforms, for events whose fields are marked. */
  readonly #checked = new Map<VrlProgram, VrlChecked>();

  constructor(
    programs: readonly VrlProgram[],
    graph: PipelineGraph,
    wiring: Wiring,
    catalogue: Catalogue,
    engine: () => Vrl,
  ) {
    const { enrichment_tables: tables, schema } = graph.globalConfig;
    this.#tables = isRecord(tables) ? Object.keys(tables) : [];
    this.followsKinds = isRecord(schema) && schema["enabled"] === true;
    this.#eventKinds = eventKindsIn(graph, wiring, catalogue);
    this.#engine = engine;
    const ofRemaps = new Map(
      programs.flatMap((program) =>
        program.component?.type === "remap" ? [[program.component.key, program]] : [],
      ),
    );
    this.events = followEvents(graph, wiring, (component) => {
      const program = ofRemaps.get(component.key);
      return program && this.#kindAfter(program, component);
    });
    for (const group of independent(programs, wiring)) this.#checkAll(group);
  }

  problems(program: VrlProgram, parsed: ParsedText, text: string): readonly Problem[] {
    const checked = this.#check(program);
    const found = problemsOf(program, checked, parsed, text);
    if (this.followsKinds) return found.map(leaveToVector);
    const certain = checked.diagnostics.length > 0 ? undefined : this.#certainKind(program);
    if (certain === undefined) return found;
    const failures = certainFailures(
      program.source,
      certain,
      this.#optionsOf(program),
      (source, options) => this.#engine().check(source, options),
    );
    return problemsOf(program, failures, parsed, text);
  }

  place(program: VrlProgram): ProgramPlace {
    const certain = this.#certainKind(program);
    return {
      componentKey: program.component?.key ?? "",
      path: program.path.map(String),
      options: this.#optionsOf(program),
      ...(certain === undefined ? {} : { certain }),
    };
  }

  #checkAll(programs: readonly VrlProgram[]): void {
    const asked = programs
      .map((program) => ({ program, ...this.#toCheck(program) }))
      // To know what reaches one of a circle, the others were compiled.
      .filter(({ program }) => !this.#checked.has(program));
    const answers = this.#engine().checkAll(asked);
    for (const [at, { program }] of asked.entries()) {
      const answer = answers[at];
      if (answer !== undefined) this.#checked.set(program, answer);
    }
  }

  #check(program: VrlProgram): VrlChecked {
    let checked = this.#checked.get(program);
    if (checked === undefined) {
      const { source, options } = this.#toCheck(program);
      checked = this.#engine().check(source, options);
      this.#checked.set(program, checked);
    }
    return checked;
  }

  #toCheck(program: VrlProgram): VrlToCheck {
    const { component, source } = program;
    const tables = this.#tables;
    if (component?.type !== "remap") return toCheck(program, { tables });
    const reaching = this.events.reaching(component);
    const kinds = this.#eventKinds(component);
    const target = this.followsKinds
      ? [typedEvent(reaching, source)]
      : (kinds.target ?? []).map((kind) =>
          kind === anyObject ? markedEvent(reaching, source) : kind,
        );
    return toCheck(program, { ...kinds, target, tables });
  }

  /** The kind of events after a remap's program, as far as it can be told. */
  #kindAfter(program: VrlProgram, remap: GraphComponent): VrlKind | undefined {
    const checked = this.#check(program);
    // The events of one kind only can be told apart.
    const [kind, ...others] = this.#eventKinds(remap).target ?? [];
    return others.length === 0 && typeof kind === "object" ? checked.target : undefined;
  }

  /** What is certain of the fields that a transform's program names, where that may make it fail. */
  #certainKind({ component, source }: VrlProgram): VrlKind | undefined {
    if (component?.kind !== "transform") return undefined;
    const { known = {} } = membersOf(this.events.reaching(component).sure) ?? {};
    const named = Object.entries(known).filter(([name]) => source.includes(name));
    const kind = objectOf(Object.fromEntries(named));
    return hasFailingFields(kind) ? kind : undefined;
  }

  #optionsOf({ component, condition, testInput }: VrlProgram): VrlCompileOptions {
    const kinds = component?.type === "remap" ? this.#eventKinds(component) : {};
    const input = testInput === undefined ? {} : { testInput };
    return { ...kinds, tables: this.#tables, condition, ...input };
  }
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

/** Groups of programs in which none needs what the compiler says of another one of its group, or of a later one. */
function independent(
  programs: readonly VrlProgram[],
  wiring: Wiring,
): readonly (readonly VrlProgram[])[] {
  const known = new Map<string, number>();
  /** How many remap transforms are one after the other before a component, at most. */
  const remapsBefore = (component: GraphComponent): number => {
    const before = known.get(component.key);
    if (before !== undefined) return before;
    known.set(component.key, 0); // Ends a cycle.
    let most = 0;
    for (const { from } of wiring.edges(component)) {
      const upstream = wiring.component(from);
      if (upstream === undefined) continue;
      most = Math.max(most, remapsBefore(upstream) + (upstream.type === "remap" ? 1 : 0));
    }
    known.set(component.key, most);
    return most;
  };
  const groups = Map.groupBy(programs, ({ component }) =>
    component?.type === "remap" ? remapsBefore(component) : 0,
  );
  return [...groups].toSorted(([a], [b]) => a - b).map(([, group]) => group);
}
