import type { OptionFacts } from "../catalogue.ts";

/** An option, with what checks need of it. */
export interface Option {
  readonly fact: OptionFacts;
  readonly name: string;
  /** All that Vector takes; what it is offered as comes first. */
  readonly types: readonly string[];
  readonly relevantWhen: Expression | undefined;
  readonly requiredWhen: Expression | undefined;
  /** What is in it when it is a map, and in its items when it is a list; undefined when nothing is known of that. */
  readonly children: Level | undefined;
  readonly items: Level | undefined;
}

/** The options of one map. */
export interface Level {
  readonly options: readonly Option[];
  /** By every name that Vector reads. */
  readonly byName: ReadonlyMap<string, Option>;
  /** What any other key is. */
  readonly any: Option | undefined;
  /** Those of which one is needed. */
  readonly oneOf: readonly (readonly Option[])[];
}

/** `codec = "a" or mode = "b"` over options of the same map: one of these groups of terms holds. */
export type Expression = readonly (readonly Term[])[];

interface Term {
  readonly name: string;
  readonly wanted: string;
}

type Values = Readonly<Record<string, unknown>>;

const trees = new WeakMap<readonly OptionFacts[], Level>();

/** The options of a component as a tree. It is made once for a list of facts: lists that are kept are cheap to ask for. */
export function optionTree(facts: readonly OptionFacts[]): Level {
  const known = trees.get(facts);
  if (known !== undefined) return known;
  const byParent = Map.groupBy(facts, ({ path }) =>
    path.slice(0, Math.max(path.lastIndexOf("."), 0)),
  );
  const tree = levelAt("", byParent) ?? emptyLevel;
  trees.set(facts, tree);
  return tree;
}

const emptyLevel: Level = { options: [], byName: new Map(), any: undefined, oneOf: [] };

type ByParent = ReadonlyMap<string, readonly OptionFacts[]>;

function levelAt(parent: string, byParent: ByParent): Level | undefined {
  const facts = byParent.get(parent);
  if (facts === undefined) return undefined;
  const all = facts.map((fact) => optionOf(fact, byParent));
  const options = all.filter(({ name }) => name !== "*");
  const byName = new Map(
    options.flatMap((option) => (option.fact.aliases ?? []).map((alias) => [alias, option])),
  );
  for (const option of options) byName.set(option.name, option);
  const byPath = new Map(options.map((option) => [option.fact.path, option]));
  const groups = new Map(
    options.flatMap(({ fact: { one_of: paths } }) =>
      paths === undefined ? [] : [[paths.join(), paths] as const],
    ),
  );
  return {
    options,
    byName,
    any: all.find(({ name }) => name === "*"),
    oneOf: [...groups.values()].map((paths) => paths.flatMap((path) => byPath.get(path) ?? [])),
  };
}

function optionOf(fact: OptionFacts, byParent: ByParent): Option {
  const { path, type, also = [], relevant_when: relevant, required_when: required } = fact;
  const children = levelAt(path, byParent);
  return {
    fact,
    name: path.slice(path.lastIndexOf(".") + 1),
    types: [...(typeof type === "string" ? [type] : type), ...also],
    relevantWhen: relevant === undefined ? undefined : parseExpression(relevant),
    requiredWhen: required === undefined ? undefined : parseExpression(required),
    children,
    // Where one or many are taken, the many are like the one.
    items: levelAt(`${path}[]`, byParent) ?? children,
  };
}

function parseExpression(text: string): Expression {
  return text.split(" or ").map((side) =>
    side.split(" and ").map((term) => {
      const [, name = "", wanted = ""] = /^\s*(\w+) = "?([^"]*)"?/.exec(term) ?? [];
      return { name, wanted };
    }),
  );
}

/** What is given for an option, under any of its names. */
export function givenFor({ name, fact }: Option, values: Values): unknown {
  if (values[name] !== undefined || fact.aliases === undefined) return values[name];
  const alias = fact.aliases.find((other) => values[other] !== undefined);
  return alias === undefined ? undefined : values[alias];
}

/** The names of an option that are given, in the order of the text. */
export function namesGiven({ name, fact }: Option, values: Values): readonly string[] {
  return Object.keys(values).filter((key) => key === name || fact.aliases?.includes(key) === true);
}

/** What holds for an option: what is given or is so by default, by its main name. */
export function valueOf(name: string, values: Values, level: Level): unknown {
  const option = level.byName.get(name);
  if (option === undefined) return values[name];
  const value = givenFor(option, values) ?? option.fact.default;
  return typeof value === "string" ? (option.fact.enum_aliases?.[value] ?? value) : value;
}

export function holds(expression: Expression, values: Values, level: Level): boolean {
  return expression.some((terms) =>
    terms.every(({ name, wanted }) => String(valueOf(name, values, level)) === wanted),
  );
}

/** Whether an option is needed beside these values; it may be there. */
export function isRequired(option: Option, values: Values, level: Level): boolean {
  const { fact, requiredWhen, relevantWhen, children } = option;
  if (requiredWhen !== undefined) return holds(requiredWhen, values, level);
  if (fact.required !== true || fact.variant === true || fact.default !== undefined) return false;
  if (relevantWhen === undefined) return true;
  // An object that belongs to one arm of a union may be left out when none of its own fields is needed.
  const isNeeded =
    fact.type !== "object" ||
    children?.options.some(
      (child) =>
        child.fact.required === true &&
        child.fact.default === undefined &&
        child.relevantWhen === undefined,
    ) === true ||
    children?.any?.fact.required === true;
  return isNeeded && holds(relevantWhen, values, level);
}
