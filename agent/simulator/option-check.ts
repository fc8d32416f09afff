import type { OptionFacts } from "./catalogue.ts";
import { isRecord } from "./config.ts";

/**
 * Checks a value tree against option facts the way Vector's deserializer does: it stops at the
 * first problem. Returns that problem, or undefined.
 *
 * @param strict reject names of the first level that are not in `facts`.
 */
export function checkOptions(
  value: Readonly<Record<string, unknown>>,
  facts: readonly OptionFacts[],
  strict: boolean,
): string | undefined {
  const levels = new Map<string, OptionFacts[]>();
  for (const fact of facts) {
    const cut = parentOf(fact.path);
    levels.set(cut, [...(levels.get(cut) ?? []), fact]);
  }
  return checkLevel(value, "", levels, strict);
}

type Levels = ReadonlyMap<string, readonly OptionFacts[]>;

const parentOf = (path: string): string => {
  const dot = path.lastIndexOf(".");
  return dot === -1 ? "" : path.slice(0, dot);
};
const nameOf = (path: string): string => path.slice(path.lastIndexOf(".") + 1);
const join = (parent: string, name: string): string => (parent === "" ? name : `${parent}.${name}`);

function checkLevel(
  value: Readonly<Record<string, unknown>>,
  path: string,
  levels: Levels,
  strict: boolean,
): string | undefined {
  const facts = levels.get(path) ?? [];
  const byName = new Map(
    facts.flatMap((fact) => [nameOf(fact.path), ...(fact.aliases ?? [])].map((key) => [key, fact])),
  );
  for (const [name, child] of Object.entries(value)) {
    const fact = byName.get(name) ?? byName.get("*");
    if (fact === undefined) {
      if (!strict) continue;
      const known = [...byName.keys()].map((key) => `\`${key}\``);
      return `unknown field \`${name}\`, expected ${known.length > 2 ? "one of " : ""}${known.join(known.length > 2 ? ", " : " or ")}`;
    }
    if (!isRelevant(fact, value, byName)) continue;
    const problem = checkValue(child, fact, levels, join(path, nameOf(fact.path)));
    if (problem !== undefined) return problem;
  }
  const missing = facts.find(
    (fact) =>
      isRequired(fact, value, byName) &&
      givenFor(fact, value) === undefined &&
      nameOf(fact.path) !== "*",
  );
  return missing === undefined ? undefined : `missing field \`${nameOf(missing.path)}\``;
}

function isRequired(
  fact: OptionFacts,
  value: Readonly<Record<string, unknown>>,
  siblings: Siblings,
): boolean {
  if (fact.required_when !== undefined) return holds(fact.required_when, value, siblings);
  // Objects of unions are optional in one arm or another; their own fields tell what is needed.
  const isUnion =
    fact.variant === true || (fact.type === "object" && fact.relevant_when !== undefined);
  return fact.required === true && !isUnion && isRelevant(fact, value, siblings);
}

function givenFor(fact: OptionFacts, value: Readonly<Record<string, unknown>>): unknown {
  const names = [nameOf(fact.path), ...(fact.aliases ?? [])];
  const given = names.map((name) => value[name]).find((found) => found !== undefined);
  return typeof given === "string" ? (fact.enum_aliases?.[given] ?? given) : given;
}

type Siblings = ReadonlyMap<string, OptionFacts>;

function isRelevant(
  fact: OptionFacts,
  value: Readonly<Record<string, unknown>>,
  siblings: Siblings,
): boolean {
  return fact.relevant_when === undefined || holds(fact.relevant_when, value, siblings);
}

/** Evaluates `a = "x" or b = "y"` over sibling options, with their defaults. */
function holds(
  expression: string,
  value: Readonly<Record<string, unknown>>,
  siblings: Siblings,
): boolean {
  return expression.split(" or ").some((side) =>
    side.split(" and ").every((term) => {
      const [, name = "", wanted = ""] = /^\s*(\w+) = "?([^"]*)"?/.exec(term) ?? [];
      const sibling = siblings.get(name);
      const given = sibling === undefined ? value[name] : givenFor(sibling, value);
      return String(given ?? sibling?.default) === wanted;
    }),
  );
}

const addressPath = /^(api\.)?address$/;

function checkValue(
  value: unknown,
  fact: OptionFacts,
  levels: Levels,
  path: string,
): string | undefined {
  // A null is kept for optional fields.
  if (value === null)
    return fact.required === true ? wrongType(value, expectation(String(fact.type))) : undefined;
  const types = typeof fact.type === "string" ? [fact.type] : fact.type;
  if (fact.also?.some((other) => checkType(value, other, fact) === undefined) === true) {
    return undefined;
  }
  if (types.length > 1 || types[0] === "condition") return undefined;
  const [type = "string"] = types;
  const problem = checkType(value, type, fact);
  if (problem !== undefined) return problem;
  if (type === "object" && isRecord(value)) return checkLevel(value, path, levels, false);
  if (type === "array<object>" && Array.isArray(value)) {
    for (const item of value) {
      const inner = isRecord(item) ? checkLevel(item, `${path}[]`, levels, false) : undefined;
      if (inner !== undefined) return inner;
    }
  }
  return undefined;
}

function checkType(value: unknown, type: string, fact: OptionFacts): string | undefined {
  const element = /^array<(.*)>$/.exec(type)?.[1];
  if (element !== undefined) {
    if (!Array.isArray(value)) return wrongType(value, "a sequence");
    return value
      .map((item) =>
        checkType(item, element, { ...fact, enum: undefined } as unknown as OptionFacts),
      )
      .find((problem) => problem !== undefined);
  }
  const fits: Readonly<Record<string, boolean>> = {
    string: typeof value === "string",
    ascii_char: typeof value === "string",
    bool: typeof value === "boolean",
    float: typeof value === "number",
    int: Number.isInteger(value),
    uint: Number.isInteger(value),
    object: isRecord(value),
  };
  if (fits[type] === false) return wrongType(value, expectation(type));
  if (type === "uint" && Number(value) < 0)
    return `invalid value: ${describe(value)}, expected u64`;
  if (fact.enum !== undefined && typeof value === "string" && !isVariant(value, fact)) {
    return `unknown variant \`${value}\`, expected one of ${fact.enum.map((name) => `\`${name}\``).join(", ")}`;
  }
  return undefined;
}

const isVariant = (
  value: string,
  { enum: variants = [], enum_aliases: others = {} }: OptionFacts,
): boolean => variants.includes(value) || Object.hasOwn(others, value);

function expectation(type: string): string {
  const names: Readonly<Record<string, string>> = {
    string: "a string",
    ascii_char: "a character",
    bool: "a boolean",
    float: "f64",
    int: "i64",
    uint: "usize",
    object: "a map",
  };
  return names[type] ?? "a sequence";
}

const wrongType = (value: unknown, expected: string): string =>
  `invalid type: ${describe(value)}, expected ${expected}`;

/** How serde names a value in its errors. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `string ${JSON.stringify(value)}`;
    case "boolean":
      return `boolean \`${value}\``;
    case "number":
      return Number.isInteger(value) ? `integer \`${value}\`` : `floating point \`${value}\``;
    default:
      if (value === null) return "unit value";
      return Array.isArray(value) ? "sequence" : "map";
  }
}

/** `127.0.0.1:80` or `[::1]:80`: what Rust's SocketAddr takes; host names are refused. */
export function isSocketAddress(value: string): boolean {
  const match = /^(?:(\d{1,3}(?:\.\d{1,3}){3})|\[[0-9a-fA-F:.]+\]):(\d{1,5})$/.exec(value);
  return (
    match !== null &&
    Number(match[2]) < 65_536 &&
    (match[1] ?? "0").split(".").every((part) => Number(part) < 256)
  );
}

/** The address options that are of type SocketAddr, of the components that vector-sim runs. */
export function checkAddress(kind: string, type: string, value: unknown): string | undefined {
  const typed =
    kind === "sink" ? type === "prometheus_exporter" : type === "http" || type === "http_server";
  if (!typed || typeof value !== "string" || !addressPath.test("address")) return undefined;
  return isSocketAddress(value) ? undefined : "invalid socket address syntax";
}
