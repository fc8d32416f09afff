import { placeholdersIn } from "../configuration/placeholders.ts";

/** What a configuration names, each once and sorted. Hosts hold secrets and certificates; variables are written out. */
export interface References {
  readonly secrets?: readonly string[];
  readonly certificates?: readonly string[];
  /** Absent when there are none. */
  readonly variables?: readonly string[];
}

export type ReferenceKind = "secret" | "certificate";

export interface Reference {
  readonly kind: ReferenceKind;
  readonly name: string;
}

/** The rule for names of secrets and certificates: they fit the placeholders of Vector. */
export const namePattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/;

// As the agent finds them: see agent/secrets/references.ts.
const pattern = /(SECRET|CERT)\[([^[\]\s]+)\]/g;
// A number in brackets is an index of VRL.
const malformed = /(?:SECRET|CERT|VAR)\[(?!\d+\])[^\]\n]{0,130}\]?/g;

/** The references in one text, in their order. */
export function referencesIn(text: string): readonly Reference[] {
  if (!text.includes("[")) return [];
  return Array.from(text.matchAll(pattern), ([, kind, name = ""]) => ({
    kind: kind === "SECRET" ? "secret" : "certificate",
    name,
  }));
}

/** What looks like a reference and is none, so that it stays in the text as it is. */
export function malformedReferencesIn(text: string): readonly string[] {
  if (!text.includes("[")) return [];
  return Array.from(text.matchAll(malformed), ([whole]) => whole).filter(
    (whole) => referencesIn(whole).length === 0 && placeholdersIn(whole, "VAR").length === 0,
  );
}

/** Visits every text of a parsed value, keys of maps too, with its path. */
export function visitTexts(
  value: unknown,
  visit: (text: string, path: readonly (string | number)[]) => void,
  path: readonly (string | number)[] = [],
): void {
  if (typeof value === "string") visit(value, path);
  else if (Array.isArray(value)) {
    value.forEach((item: unknown, index) => visitTexts(item, visit, [...path, index]));
  } else if (typeof value === "object" && value !== null) {
    for (const [key, child] of Object.entries(value)) {
      visit(key, [...path, key]);
      visitTexts(child, visit, [...path, key]);
    }
  }
}

/** Everything that a parsed value names. */
export function collectReferences(value: unknown): References {
  const found = { secret: new Set<string>(), certificate: new Set<string>() };
  const variables = new Set<string>();
  visitTexts(value, (text) => {
    for (const { kind, name } of referencesIn(text)) found[kind].add(name);
    for (const name of placeholdersIn(text, "VAR")) variables.add(name);
  });
  return {
    secrets: [...found.secret].toSorted(),
    certificates: [...found.certificate].toSorted(),
    ...(variables.size > 0 && { variables: [...variables].toSorted() }),
  };
}

export function listReferences(references: References): readonly Reference[] {
  return [
    ...(references.secrets ?? []).map((name): Reference => ({ kind: "secret", name })),
    ...(references.certificates ?? []).map((name): Reference => ({ kind: "certificate", name })),
  ];
}
