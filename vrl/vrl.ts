import { availableParallelism } from "node:os";
import { check, function_names, initSync, is_time_zone, run } from "./module/vrl.js";
import { readModule } from "./read-module.ts";
import { SecondThread, type ProgramText } from "./second-thread.ts";
import type { VrlValue } from "./values.ts";

/**
 * What a value may be: any value, any that JSON has, or the named types with members. Types are bytes, integer, float, boolean,
 * timestamp, regex, null, and undefined for what may be absent.
 */
export type VrlKind =
  | "any"
  | "json"
  | {
      readonly types: readonly string[];
      readonly object?: VrlMembers;
      readonly array?: VrlMembers;
    };

/** Members by name, or by index; `unknown` is what all others are if they are there. */
export interface VrlMembers {
  readonly known: Readonly<Record<string, VrlKind>>;
  readonly unknown?: VrlKind;
}

export interface VrlCompileOptions {
  /** A condition changes nothing and gives a boolean. */
  readonly condition?: boolean;
  /** A program that makes the event of a unit test may write all of its metadata. */
  readonly testInput?: boolean;
  /** What the event may be, one for each input; any object when there is none. */
  readonly target?: readonly VrlKind[];
  readonly metadata?: readonly VrlKind[];
  /** The names of the enrichment tables. */
  readonly tables?: readonly string[];
}

export interface VrlLabel {
  readonly message: string;
  readonly primary: boolean;
  /** From and to, in bytes of the program's UTF-8. */
  readonly span: readonly [number, number];
}

/** A program, and how it is compiled. */
export interface VrlToCheck {
  readonly source: string;
  readonly options: VrlCompileOptions;
}

/** One finding of the compiler, as Vector has it. */
export interface VrlDiagnostic {
  readonly severity: "error" | "warning";
  readonly code: number;
  readonly message: string;
  readonly labels: readonly VrlLabel[];
  readonly notes: readonly string[];
}

export interface VrlChecked {
  readonly diagnostics: readonly VrlDiagnostic[];
  /** The errors as Vector prints them; empty when the program compiles. */
  readonly report: string;
  /** What the event is after the program, when it compiles. */
  readonly target?: VrlKind;
}

/** An event with what Vector carries along with it. */
export interface VrlEvent {
  readonly value: VrlValue;
  /** What programs read as `%`. */
  readonly metadata: VrlValue;
  /** What `get_secret` gives. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface VrlFailure {
  readonly kind: "error" | "abort";
  readonly message: string;
  /** What Vector writes into an event that it drops: the program's own words, where it has some. */
  readonly reason: string;
}

/** The event after the program, and the value of its last expression. */
export type VrlOutcome =
  | (VrlEvent & { readonly kind: "done"; readonly result: VrlValue })
  | VrlFailure;

export interface VrlRunInput {
  /** Without metadata and secrets unless they are there. */
  readonly events: readonly (Pick<VrlEvent, "value"> & Partial<VrlEvent>)[];
  /** Of times that name none: a name of the TZ database; `local`, as without one, is UTC. Throws for an unknown one. */
  readonly timezone?: string;
  readonly compile?: VrlCompileOptions;
}

/** The outcome of each event, or the report of a program that does not compile. */
export type VrlRan = { readonly outcomes: readonly VrlOutcome[] } | { readonly error: string };

/**
 * VRL of Vector's version. A program can run without an end, take all memory or break the module for good: use it
 * only on a thread that can be ended, and end that thread after any RuntimeError or RangeError.
 */
export interface Vrl {
  check(source: string, options?: VrlCompileOptions): VrlChecked;
  /** Checks programs, on a second thread as well when many of them are new. The answers are in the order of the programs. */
  checkAll(programs: readonly VrlToCheck[]): readonly VrlChecked[];
  /** Compiles a program once, however often it is run. */
  run(source: string, input: VrlRunInput): VrlRan;
  functionNames(): readonly string[];
  /** Whether Vector knows a time zone by this name; `local` is one. */
  isTimeZone(name: string): boolean;
}

/** Fewer new programs than these are checked before a second thread has woken up. */
const minimumShared = 16;

/** Kept answers are forgotten all at once when their programs and they have more UTF-16 code units together. */
const maximumKeptLength = 4_194_304;

let loaded: Vrl | undefined;

/** Loads the module into this thread, once. Throws when it is not the one that was built. */
export function loadVrl(): Vrl {
  loaded ??= load();
  return loaded;
}

function load(): Vrl {
  initSync({ module: readModule() });
  const answers = new KeptAnswers();
  return {
    check: (source, options = {}) => answers.of([{ source, options }])[0] as VrlChecked,
    checkAll: (programs) => answers.of(programs),
    run: (source, input) => JSON.parse(run(source, JSON.stringify(input))) as VrlRan,
    functionNames: () => JSON.parse(function_names()) as string[],
    isTimeZone: (name) => is_time_zone(name),
  };
}

/** People change one program of many at a time: the answers for the others are kept. */
class KeptAnswers {
  readonly #kept = new Map<string, VrlChecked>();
  #length = 0;
  #second: SecondThread | undefined;

  of(programs: readonly VrlToCheck[]): readonly VrlChecked[] {
    const texts = programs.map(({ source, options }): ProgramText => {
      return [source, JSON.stringify(options)];
    });
    const keys = texts.map(([source, options]) => `${options}\n${source}`);
    const found = keys.map((key) => this.#kept.get(key));
    const missing = new Map<string, ProgramText>();
    for (const [at, key] of keys.entries()) {
      const text = texts[at];
      if (found[at] === undefined && text !== undefined) missing.set(key, text);
    }
    if (missing.size === 0) return found as VrlChecked[];
    const fresh = this.#ask([...missing]);
    return keys.map((key, at) => found[at] ?? (fresh.get(key) as VrlChecked));
  }

  #ask(missing: readonly (readonly [key: string, text: ProgramText])[]): Map<string, VrlChecked> {
    if (this.#length > maximumKeptLength) {
      this.#kept.clear();
      this.#length = 0;
    }
    const answers = this.#compile(missing.map(([, text]) => text));
    return new Map(
      missing.map(([key], at) => {
        const answer = answers[at] ?? "";
        const checked = JSON.parse(answer) as VrlChecked;
        this.#kept.set(key, checked);
        this.#length += key.length + answer.length;
        return [key, checked];
      }),
    );
  }

  #compile(texts: readonly ProgramText[]): readonly string[] {
    const compile = (source: string, options: string): string => check(source, options);
    if (texts.length < minimumShared || availableParallelism() < 2) {
      return texts.map((text) => compile(...text));
    }
    if (this.#second?.isBroken === true) {
      this.#second.end();
      this.#second = undefined;
    }
    this.#second ??= new SecondThread();
    // It loads while this thread goes on.
    if (!this.#second.isIdle) return texts.map((text) => compile(...text));
    return this.#second.compile(texts, compile);
  }
}
