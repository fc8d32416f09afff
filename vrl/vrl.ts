import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import manifest from "./module/manifest.json" with { type: "json" };
import { check, function_names, initSync, is_time_zone, run } from "./module/vrl.js";
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
  /** Compiles a program once, however often it is run. */
  run(source: string, input: VrlRunInput): VrlRan;
  functionNames(): readonly string[];
  /** Whether Vector knows a time zone by this name; `local` is one. */
  isTimeZone(name: string): boolean;
}

/** Kept answers are forgotten all at once when their programs and they have more UTF-16 code units together. */
const maximumKeptLength = 4_194_304;

let loaded: Vrl | undefined;

/** Loads the module into this thread, once. Throws when it is not the one that was built. */
export function loadVrl(): Vrl {
  loaded ??= load();
  return loaded;
}

function load(): Vrl {
  const compressed = readFileSync(new URL("module/vrl.wasm.br", import.meta.url));
  const module = brotliDecompressSync(compressed, { maxOutputLength: manifest.wasmBytes });
  const sha256 = createHash("sha256").update(module).digest("hex");
  if (sha256 !== manifest.sha256) {
    throw new Error("vrl/module/vrl.wasm.br is not the module of vrl/module/manifest.json");
  }
  initSync({ module });
  return {
    check: keepAnswers((source, options) => check(source, options)),
    run: (source, input) => JSON.parse(run(source, JSON.stringify(input))) as VrlRan,
    functionNames: () => JSON.parse(function_names()) as string[],
    isTimeZone: (name) => is_time_zone(name),
  };
}

/** People change one program of many at a time: the answers for the others are kept. */
function keepAnswers(ask: (source: string, options: string) => string): Vrl["check"] {
  const kept = new Map<string, VrlChecked>();
  let length = 0;
  return (source, options = {}) => {
    const json = JSON.stringify(options);
    const key = `${json}\n${source}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const answer = ask(source, json);
    if (length > maximumKeptLength) {
      kept.clear();
      length = 0;
    }
    const checked = JSON.parse(answer) as VrlChecked;
    kept.set(key, checked);
    length += key.length + answer.length;
    return checked;
  };
}
