import { isDeepStrictEqual } from "node:util";
import type { OptionFacts } from "../catalogue.ts";
import { isRecord } from "../graph.ts";

/** A problem at a path below a component. */
export interface OptionProblem {
  readonly severity: "error" | "warning";
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** The option is not among those that are known. */
  readonly unknown?: boolean;
  /** What may have been meant instead of the option's name, or of its value. */
  readonly close?: { readonly of: "name" | "value"; readonly text: string };
}

/** Options that Vector accepts and the catalogue does not list, with those that also take a bool. */
const unlisted = new Set(["log_namespace"]);
const boolShorthand = new Set(["acknowledgements", "healthcheck"]);

/**
 * Checks names, presence and types of a component's options against the catalogue. Where Vector itself
 * would ignore an unknown name, it is only warned about.
 */
export function checkOptions(
  config: Readonly<Record<string, unknown>>,
  facts: readonly OptionFacts[],
  strict: boolean,
): readonly OptionProblem[] {
  const byParent = Map.groupBy(facts, ({ path }) =>
    path.slice(0, Math.max(path.lastIndexOf("."), 0)),
  );
  const problems: OptionProblem[] = [];
  checkLevel(config, "", [], byParent, strict, problems);
  return problems;
}

type Levels = ReadonlyMap<string, readonly OptionFacts[]>;

function nameOf(fact: OptionFacts): string {
  return fact.path.slice(fact.path.lastIndexOf(".") + 1);
}

function checkLevel(
  value: Readonly<Record<string, unknown>>,
  level: string,
  path: readonly (string | number)[],
  levels: Levels,
  strict: boolean,
  problems: OptionProblem[],
): void {
  const known = new Map((levels.get(level) ?? []).map((fact) => [nameOf(fact), fact]));
  if (known.size === 0) return;
  const any = known.get("*");
  for (const [name, child] of Object.entries(value)) {
    const fact = known.get(name) ?? any;
    if (fact !== undefined) {
      const unless = withoutEffect(child, fact, value, known);
      if (unless !== undefined) {
        problems.push({
          severity: "warning",
          path: [...path, name],
          message: `${name} has no effect unless ${unless}`,
        });
      }
      checkValue(child, fact, [...path, name], levels, problems);
    } else if (!unlisted.has(name)) {
      const close = closest(name, [...known.keys()]);
      const hint = close === undefined ? "" : `; did you mean ${close}?`;
      const severity = strict && path.length === 0 ? "error" : "warning";
      problems.push({
        severity,
        path: [...path, name],
        message: `unknown option ${name}${hint}`,
        unknown: true,
        ...(close === undefined || value[close] !== undefined
          ? {}
          : { close: { of: "name", text: close } }),
      });
    }
  }
  for (const fact of known.values()) {
    const name = nameOf(fact);
    if (name !== "*" && value[name] === undefined && isRequired(fact, value, known, levels)) {
      problems.push({
        severity: "error",
        path: [...path, name],
        message: `the option ${name} is required`,
      });
    }
  }
}

function isRequired(
  fact: OptionFacts,
  value: Readonly<Record<string, unknown>>,
  siblings: ReadonlyMap<string, OptionFacts>,
  levels: Levels,
): boolean {
  if (fact.required_when !== undefined) return holds(fact.required_when, value, siblings);
  if (fact.required !== true || fact.variant === true || fact.default !== undefined) return false;
  if (fact.relevant_when === undefined) return true;
  // An object that belongs to one arm of a union may be left out when none of its own fields is needed.
  const isNeeded =
    fact.type !== "object" ||
    levels
      .get(fact.path)
      ?.some(
        (child) =>
          child.required === true &&
          child.default === undefined &&
          child.relevant_when === undefined,
      ) === true;
  return isNeeded && holds(fact.relevant_when, value, siblings);
}

/**
 * When a value would count, if it does not as things are. Silent where that is not sure: what decides is filled in on
 * the hosts, or wrong itself.
 */
function withoutEffect(
  child: unknown,
  fact: OptionFacts,
  value: Readonly<Record<string, unknown>>,
  siblings: ReadonlyMap<string, OptionFacts>,
): string | undefined {
  const { relevant_when: expression } = fact;
  if (expression === undefined || child === null || isDeepStrictEqual(child, fact.default)) {
    return undefined;
  }
  const deciding = [...expression.matchAll(/(\w+) = /g)].map(([, name = ""]) => name);
  const isSure = deciding.every((name) => {
    const sibling = siblings.get(name);
    const given = value[name] ?? sibling?.default;
    return (
      ["string", "number", "boolean"].includes(typeof given) &&
      !isReference(given) &&
      (sibling?.enum === undefined || matchesEnum(String(given), sibling.enum))
    );
  });
  if (!isSure || holds(expression, value, siblings)) return undefined;
  return expression.replaceAll(/ = "?([^" ]*)"?/g, " is $1");
}

/** A reference is pasted in later, whatever the type of the option. */
function isReference(value: unknown): boolean {
  return typeof value === "string" && /SECRET\[|VAR\[|\$\{/.test(value);
}

/** Evaluates `codec = "a" or mode = "b"` over sibling options with their defaults. */
function holds(
  expression: string,
  value: Readonly<Record<string, unknown>>,
  siblings: ReadonlyMap<string, OptionFacts>,
): boolean {
  return expression.split(" or ").some((side) =>
    side.split(" and ").every((term) => {
      const [, name = "", wanted = ""] = /^\s*(\w+) = "?([^"]*)"?/.exec(term) ?? [];
      const given = value[name] ?? siblings.get(name)?.default;
      return String(given).toLowerCase() === wanted.toLowerCase();
    }),
  );
}

function checkValue(
  value: unknown,
  fact: OptionFacts,
  path: readonly (string | number)[],
  levels: Levels,
  problems: OptionProblem[],
): void {
  const types = typeof fact.type === "string" ? [fact.type] : fact.type;
  const [type = "string"] = types;
  if (value === null || isReference(value)) return;
  if (types.length > 1 || type === "condition") return;
  if (boolShorthand.has(nameOf(fact)) && typeof value === "boolean") return;
  const item = /^array<(.*)>$/.exec(type)?.[1];
  const wrong = (expected: string): void => {
    problems.push({ severity: "error", path, message: `${nameOf(fact)} must be ${expected}` });
  };
  if (item !== undefined) {
    if (!Array.isArray(value)) return wrong("a list");
    value.forEach((element: unknown, index) => {
      if (item === "object" && isRecord(element)) {
        checkLevel(element, `${fact.path}[]`, [...path, index], levels, false, problems);
      }
    });
    return undefined;
  }
  const expected = expectations[type];
  if (expected !== undefined && !expected.fits(value)) return wrong(expected.text);
  if (type === "object" && isRecord(value)) {
    checkLevel(value, fact.path, path, levels, false, problems);
  } else if (
    fact.enum !== undefined &&
    typeof value === "string" &&
    !matchesEnum(value, fact.enum)
  ) {
    const close = closest(value, fact.enum);
    problems.push({
      severity: "error",
      path,
      message: `${nameOf(fact)} must be one of ${fact.enum.join(", ")}`,
      ...(close === undefined ? {} : { close: { of: "value", text: close } }),
    });
  }
  return undefined;
}

const expectations: Readonly<Record<string, { text: string; fits: (value: unknown) => boolean }>> =
  {
    string: { text: "a text", fits: (value) => typeof value === "string" },
    ascii_char: { text: "one character", fits: (value) => typeof value === "string" },
    bool: { text: "true or false", fits: (value) => typeof value === "boolean" },
    float: { text: "a number", fits: (value) => typeof value === "number" },
    int: { text: "a whole number", fits: Number.isInteger },
    uint: {
      text: "a whole number, not below 0",
      fits: (value) => Number.isInteger(value) && Number(value) >= 0,
    },
    object: { text: "a map of options", fits: isRecord },
  };

/** Vector reads some variants in other letter cases and under older names. */
function matchesEnum(value: string, variants: readonly string[]): boolean {
  return (
    variants.some((variant) => variant.toLowerCase() === value.toLowerCase()) ||
    ["rfc3164", "rfc5424"].includes(value)
  );
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
