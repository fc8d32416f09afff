import {
  certainFailures,
  hasFailingFields,
  maximumVrlLength,
  type ProgramPlace,
} from "#vrl/check-text.ts";
import type { Vrl, VrlChecked, VrlCompileOptions, VrlKind } from "#vrl/vrl.ts";
import type { Catalogue } from "../catalogue.ts";
import { followEvents, markedEvent, type EventFields, type EventKind } from "./event-fields.ts";
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
import { compileVrl, problemsOf, vrlPrograms, type VrlProgram } from "./vrl.ts";
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
  const checker = new ProgramChecker(graph, wiring, catalogue, engine);
  const programs = [
    ...graph.components.flatMap(vrlPrograms),
    ...testPrograms(graph.globalConfig),
  ].filter(({ source }) => source.length <= maximumVrlLength);
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
  /** What the compiler says of the programs of remap transforms, from events whose fields are marked. */
  readonly #compiled = new Map<string, VrlChecked>();

  constructor(graph: PipelineGraph, wiring: Wiring, catalogue: Catalogue, engine: () => Vrl) {
    const { enrichment_tables: tables, schema } = graph.globalConfig;
    this.#tables = isRecord(tables) ? Object.keys(tables) : [];
    this.followsKinds = isRecord(schema) && schema["enabled"] === true;
    this.#eventKinds = eventKindsIn(graph, wiring, catalogue);
    this.#engine = engine;
    this.events = followEvents(graph, wiring, (component, before) => {
      const [program] = vrlPrograms(component);
      return program === undefined || program.source.length > maximumVrlLength
        ? undefined
        : this.#compileRemap(program, component, before);
    });
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

  #check(program: VrlProgram): VrlChecked {
    const { component } = program;
    if (component?.type !== "remap") return this.#compile(program, {});
    const reaching = this.events.reaching(component);
    if (this.followsKinds) {
      return this.#compile(program, { ...this.#eventKinds(component), target: [reaching.sure] });
    }
    return this.#compileMarked(program, component, reaching);
  }

  /** The kind of events after the program, as far as it can be told. */
  #compileRemap(
    program: VrlProgram,
    remap: GraphComponent,
    before: EventKind,
  ): VrlKind | undefined {
    const checked = this.#compileMarked(program, remap, before);
    // The events of one kind only can be told apart.
    const [kind, ...others] = this.#eventKinds(remap).target ?? [];
    return others.length === 0 && typeof kind === "object" ? checked.target : undefined;
  }

  /** What reaches a transform is the same whoever asks. */
  #compileMarked(program: VrlProgram, remap: GraphComponent, before: EventKind): VrlChecked {
    const known = this.#compiled.get(remap.key);
    if (known !== undefined) return known;
    const kinds = this.#eventKinds(remap);
    const target = (kinds.target ?? []).map((kind) =>
      kind === anyObject ? markedEvent(before, program.source) : kind,
    );
    const checked = this.#compile(program, { ...kinds, target });
    this.#compiled.set(remap.key, checked);
    return checked;
  }

  #compile(program: VrlProgram, options: VrlCompileOptions): VrlChecked {
    return compileVrl(program, { ...options, tables: this.#tables }, this.#engine());
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
