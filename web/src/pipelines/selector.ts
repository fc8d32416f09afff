import { SelectorOperator, type SelectorTerm } from "#gen/vectorflow/v1/delivery_pb.ts";

export type Operator = "=" | "!=" | "in" | "exists" | "not exists";

/** A condition as a person edits it; the values of `in` stand in one line, with commas. */
export interface TermRow {
  readonly key: string;
  readonly operator: Operator;
  readonly value: string;
}

const operators = {
  "=": SelectorOperator.EQUALS,
  "!=": SelectorOperator.NOT_EQUALS,
  in: SelectorOperator.IN,
  exists: SelectorOperator.EXISTS,
  "not exists": SelectorOperator.NOT_EXISTS,
} satisfies Record<Operator, SelectorOperator>;

export const operatorOptions: readonly { readonly value: Operator; readonly label: string }[] = [
  { value: "=", label: "is" },
  { value: "!=", label: "is not" },
  { value: "in", label: "is one of" },
  { value: "exists", label: "is set" },
  { value: "not exists", label: "is not set" },
];

export function needsValue(operator: Operator): boolean {
  return operator !== "exists" && operator !== "not exists";
}

export function toRows(terms: readonly SelectorTerm[]): TermRow[] {
  return terms.map(({ key, operator, values }) => ({
    key,
    operator: operatorOptions.find(({ value }) => operators[value] === operator)?.value ?? "=",
    value: values.join(", "),
  }));
}

/** Rows without a label's name do not count. */
export function toTerms(
  rows: readonly TermRow[],
): { key: string; operator: SelectorOperator; values: string[] }[] {
  return rows
    .filter(({ key }) => key.trim() !== "")
    .map(({ key, operator, value }) => ({
      key: key.trim(),
      operator: operators[operator],
      values: !needsValue(operator)
        ? []
        : operator === "in"
          ? value
              .split(",")
              .map((item) => item.trim())
              .filter(Boolean)
          : [value.trim()],
    }));
}
