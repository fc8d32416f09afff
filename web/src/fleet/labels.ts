export interface LabelRow {
  readonly key: string;
  readonly value: string;
}

export type ParsedLabels =
  | { readonly kind: "labels"; readonly labels: Record<string, string> }
  | { readonly kind: "invalid"; readonly message: string };

/** Rows that a person filled in, as labels. Empty rows do not count. */
export function parseLabels(rows: readonly LabelRow[]): ParsedLabels {
  const labels: Record<string, string> = {};
  for (const row of rows) {
    const key = row.key.trim();
    const value = row.value.trim();
    if (key === "" && value === "") continue;
    if (key === "") return { kind: "invalid", message: `The value "${value}" has no name.` };
    if (key in labels) return { kind: "invalid", message: `The label ${key} is there twice.` };
    labels[key] = value;
  }
  return { kind: "labels", labels };
}

export function sortedLabels(labels: Record<string, string>): [string, string][] {
  return Object.entries(labels).toSorted(([a], [b]) => a.localeCompare(b, "en"));
}
