import { stripVTControlCharacters } from "node:util";

/** Columns with their heads, two spaces apart. Cells may be coloured; a line feed in a cell becomes a space. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows.map((row) => row.map((cell) => cell.replaceAll("\n", " ")))];
  const widths = head.map((_, column) =>
    Math.max(...all.map((row) => lengthOf(row[column] ?? ""))),
  );
  return all
    .map((row) =>
      row
        .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - lengthOf(cell)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function lengthOf(cell: string): number {
  return Array.from(stripVTControlCharacters(cell)).length;
}
