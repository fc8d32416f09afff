import { isRecord } from "../graph.ts";

interface Type {
  /** As messages say it. */
  readonly text: string;
  fits(value: unknown): boolean;
}

const types: Readonly<Record<string, Type>> = {
  string: { text: "a text", fits: (value) => typeof value === "string" },
  ascii_char: {
    text: "one character",
    fits: (value) => typeof value === "string" && /^\p{ASCII}$/u.test(value),
  },
  bool: { text: "true or false", fits: (value) => typeof value === "boolean" },
  float: { text: "a number", fits: (value) => typeof value === "number" },
  int: { text: "a whole number", fits: Number.isInteger },
  uint: {
    text: "a whole number, not below 0",
    fits: (value) => Number.isInteger(value) && Number(value) >= 0,
  },
  object: { text: "a map of options", fits: isRecord },
  condition: {
    text: "a condition in VRL, or a map with type and source",
    fits: (value) => typeof value === "string" || isRecord(value),
  },
};

/** What the items of a list are; undefined for what is no list. */
export function itemType(type: string): string | undefined {
  return type.startsWith("array<") ? type.slice("array<".length, -1) : undefined;
}

/** Whether a value is of a type; of lists, their items are not looked at. Types that are not known fit everything. */
export function fitsType(value: unknown, type: string): boolean {
  if (itemType(type) !== undefined) return Array.isArray(value);
  return types[type]?.fits(value) ?? true;
}

export function typeText(type: string): string {
  return itemType(type) === undefined ? (types[type]?.text ?? type) : "a list";
}

/** Whether a text may stand where one of these is taken. */
export function takesText(wanted: readonly string[]): boolean {
  return wanted.some(
    (type) =>
      type === "string" || type === "ascii_char" || type === "condition" || !isKnownType(type),
  );
}

function isKnownType(type: string): boolean {
  return itemType(type) !== undefined || types[type] !== undefined;
}
