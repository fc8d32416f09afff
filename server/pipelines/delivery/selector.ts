/** How a label is compared. A node without the label fulfils `not_equals` and `not_exists` only. */
export const selectorOperators = ["equals", "not_equals", "in", "exists", "not_exists"] as const;
export type SelectorOperator = (typeof selectorOperators)[number];

/** One condition on one label. `exists` and `not_exists` have no values, the others at least one. */
export interface SelectorTerm {
  readonly key: string;
  readonly operator: SelectorOperator;
  readonly values: readonly string[];
}

/** All terms must hold. Null, like no terms at all, selects every node of the environment. */
export type Selector = readonly SelectorTerm[] | null;

type Labels = Readonly<Record<string, string>>;

/**
 * Whether a node's labels fulfil a selector. Only labels that people set on the server come here (P9). The
 * database has the same rules in `node_selector_matches`.
 */
export function matchesSelector(selector: Selector, labels: Labels): boolean {
  return selector === null || selector.every((term) => holds(term, labels));
}

function holds({ key, operator, values }: SelectorTerm, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "equals":
      return value !== undefined && value === values[0];
    case "not_equals":
      return value === undefined || value !== values[0];
    case "in":
      return value !== undefined && values.includes(value);
    case "exists":
      return value !== undefined;
    case "not_exists":
      return value === undefined;
    default:
      // Stored by a newer server: selecting nothing is safer than selecting everything.
      return false;
  }
}

/** In words, as in `site = fra, tier in (gold, silver), not canary`. */
export function describeSelector(selector: Selector): string {
  if (selector === null || selector.length === 0) return "all hosts";
  return selector
    .map(({ key, operator, values }) => {
      switch (operator) {
        case "equals":
          return `${key} = ${values[0]}`;
        case "not_equals":
          return `${key} != ${values[0]}`;
        case "in":
          return `${key} in (${values.join(", ")})`;
        case "exists":
          return `${key} exists`;
        default:
          return `${key} does not exist`;
      }
    })
    .join(", ");
}
