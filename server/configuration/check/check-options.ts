import { isDeepStrictEqual } from "node:util";
import type { OptionFacts } from "../catalogue.ts";
import { isRecord } from "../graph.ts";
import {
  givenFor,
  holds,
  isRequired,
  namesGiven,
  optionTree,
  valueOf,
  type Level,
  type Option,
} from "./option-tree.ts";
import { fitsType, itemType, takesText, typeText } from "./option-types.ts";

type Path = readonly (string | number)[];

/** A problem at a path below a component. */
export interface OptionProblem {
  readonly severity: "error" | "warning";
  readonly path: Path;
  readonly message: string;
  /** The option is not among those that are known. */
  readonly unknown?: boolean;
  /** It is one only where the value stands in quotes: a secret is pasted into them. */
  readonly onlyInQuotes?: boolean;
  /** What may have been meant instead of the option's name, or of its value. */
  readonly close?: { readonly of: "name" | "value"; readonly text: string };
}

/**
 * Checks names, presence and types of a component's options against the catalogue. Where Vector itself
 * would ignore an unknown name, it is only warned about. Facts that are kept and given again are looked up faster.
 */
export function checkOptions(
  config: Readonly<Record<string, unknown>>,
  facts: readonly OptionFacts[],
  strict: boolean,
): readonly OptionProblem[] {
  const problems: OptionProblem[] = [];
  checkLevel(config, optionTree(facts), [], strict, problems);
  return problems;
}

function checkLevel(
  values: Readonly<Record<string, unknown>>,
  level: Level,
  path: Path,
  strict: boolean,
  problems: OptionProblem[],
): void {
  for (const [name, value] of Object.entries(values)) {
    const option = level.byName.get(name) ?? level.any;
    if (option === undefined) {
      problems.push(unknownOption(name, values, level, path, strict));
      continue;
    }
    const at = [...path, name];
    if (option.fact.aliases !== undefined) {
      const [first = name] = namesGiven(option, values);
      if (first !== name) {
        const message = `${name} is another name of ${first}: only one of them may be there`;
        problems.push({ severity: "error", path: at, message });
      }
    }
    const unless = withoutEffect(value, option, values, level);
    if (unless !== undefined) {
      const isRefused = option.fact.only_when_relevant === true;
      const message = `${name} ${isRefused ? "is refused" : "has no effect"} unless ${unless}`;
      problems.push({ severity: isRefused ? "error" : "warning", path: at, message });
    }
    checkValue(value, option, at, problems);
  }
  checkPresence(values, level, path, problems);
}

function unknownOption(
  name: string,
  values: Readonly<Record<string, unknown>>,
  level: Level,
  path: Path,
  strict: boolean,
): OptionProblem {
  const offered = level.options.flatMap((option) =>
    option.fact.hidden === true ? [] : [option.name],
  );
  const close = closest(name, offered);
  const hint = close === undefined ? "" : `; did you mean ${close}?`;
  return {
    severity: strict ? "error" : "warning",
    path: [...path, name],
    message: `unknown option ${name}${hint}`,
    unknown: true,
    ...(close === undefined || values[close] !== undefined
      ? {}
      : { close: { of: "name", text: close } }),
  };
}

/** Vector takes null for what is not there. */
function isGiven(option: Option, values: Readonly<Record<string, unknown>>): boolean {
  return (givenFor(option, values) ?? null) !== null;
}

function checkPresence(
  values: Readonly<Record<string, unknown>>,
  level: Level,
  path: Path,
  problems: OptionProblem[],
): void {
  for (const option of level.options) {
    const { fact, name } = option;
    if (fact.required !== true && option.requiredWhen === undefined) continue;
    if (isGiven(option, values) || !isRequired(option, values, level)) continue;
    const message = `the option ${name} is required`;
    problems.push({ severity: "error", path: [...path, name], message });
  }
  for (const group of level.oneOf) {
    // An empty list says as little as none.
    const given = group.filter(
      (option) =>
        isGiven(option, values) &&
        !isDeepStrictEqual(givenFor(option, values), option.fact.default),
    );
    const [first, second] = given;
    if (first === undefined) {
      const message = `one of ${inWords(group)} is required`;
      problems.push({ severity: "error", path, message });
    } else if (second?.fact.exclusive === true) {
      const [name = second.name] = namesGiven(second, values);
      const message = `only one of ${inWords(group)} may be there`;
      problems.push({ severity: "error", path: [...path, name], message });
    }
  }
}

function inWords(options: readonly Option[]): string {
  const names = options.map(({ name }) => name);
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/**
 * When a value would count, if it does not as things are. Silent where that is not sure: what decides is filled in on
 * the hosts, or wrong itself.
 */
function withoutEffect(
  value: unknown,
  { fact, relevantWhen }: Option,
  values: Readonly<Record<string, unknown>>,
  level: Level,
): string | undefined {
  if (relevantWhen === undefined || value === null) return undefined;
  if (fact.only_when_relevant !== true && isDeepStrictEqual(value, fact.default)) return undefined;
  const isSure = relevantWhen.flat().every(({ name }) => {
    const given = valueOf(name, values, level);
    const allowed = level.byName.get(name)?.fact.enum;
    return (
      ["string", "number", "boolean"].includes(typeof given) &&
      !isReference(given) &&
      (allowed === undefined || allowed.includes(String(given)))
    );
  });
  if (!isSure || holds(relevantWhen, values, level)) return undefined;
  return fact.relevant_when?.replaceAll(/ = "?([^" ]*)"?/g, " is $1");
}

/** A reference is pasted in later, whatever the type of the option. */
function isReference(value: unknown): value is string {
  return typeof value === "string" && /SECRET\[|VAR\[|\$\{/.test(value);
}

function checkValue(value: unknown, option: Option, path: Path, problems: OptionProblem[]): void {
  checkAs(value, option.types, option, option.children, path, problems);
}

/** Checks a value of an option, or an item of one that is a list. `level` is what is in it when it is a map. */
function checkAs(
  value: unknown,
  types: readonly string[],
  option: Option,
  level: Level | undefined,
  path: Path,
  problems: OptionProblem[],
): void {
  if (value === null) return;
  const problem = (message: string, more: Partial<OptionProblem> = {}): void => {
    problems.push({ severity: "error", path, message: `${nameAt(path)} ${message}`, ...more });
  };
  if (isReference(value)) {
    if (takesText(types) || !value.includes("SECRET[")) return;
    problem(`must be ${inTypes(types)}: write the secret without quotes, on a line of its own`, {
      onlyInQuotes: true,
    });
    return;
  }
  const fitting = types.filter((type) => fitsType(value, type));
  const variants = option.fact.enum;
  if (fitting.length === 0) problem(`must be ${inTypes(types)}`);
  else if (Array.isArray(value)) {
    const ofItems = fitting.map((type) => itemType(type) ?? type);
    value.forEach((item: unknown, index) => {
      checkAs(item, ofItems, option, option.items, [...path, index], problems);
    });
  } else if (isRecord(value)) {
    const inside = fitting.includes("condition") ? conditionLevel : level;
    if (inside !== undefined) {
      checkLevel(value, inside, path, option.fact.strict === true, problems);
    }
  } else if (typeof value === "string" && variants !== undefined && !isVariant(value, option)) {
    const close = closest(value.toLowerCase(), variants);
    problem(
      `must be one of ${variants.join(", ")}`,
      close === undefined ? {} : { close: { of: "value", text: close } },
    );
  }
}

/** What a condition is besides a text. */
const conditionLevel = optionTree([
  {
    path: "type",
    type: "string",
    required: true,
    enum: ["vrl", "datadog_search"],
    enum_aliases: { is_log: "is_log", is_metric: "is_metric", is_trace: "is_trace" },
  },
  { path: "source", type: "string", required_when: 'type = "vrl" or type = "datadog_search"' },
  { path: "runtime", type: "string", enum: ["ast"], hidden: true },
]);

function isVariant(value: string, { fact }: Option): boolean {
  return (
    fact.enum?.includes(value) === true ||
    (fact.enum_aliases !== undefined && Object.hasOwn(fact.enum_aliases, value))
  );
}

/** How a message names what stands at a path. */
function nameAt(path: Path): string {
  const last = path.at(-1);
  if (typeof last === "string") return last;
  const list = path.findLast((step) => typeof step === "string") ?? "the list";
  return `an item of ${list}`;
}

function inTypes(types: readonly string[]): string {
  return [...new Set(types.map(typeText))].join(" or ");
}

/** The known name with at most two edits, if there is one. */
export function closest(name: string, known: readonly string[]): string | undefined {
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(name, candidate);
    if (distance <= 2 && distance < (best?.distance ?? 3)) best = { name: candidate, distance };
  }
  return best?.name;
}

function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[b.length] ?? 3;
}
