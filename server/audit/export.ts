import type { AuditRow } from "./query.ts";

const columns = [
  "sequence",
  "time",
  "action",
  "entityType",
  "entityId",
  "userId",
  "userEmail",
  "userName",
  "ipAddress",
  "teamId",
  "environmentId",
  "diff",
  "metadata",
] as const;

/** The first line of a CSV file. */
export const csvHeader = `${columns.join(",")}\r\n`;

/** A row as a line of CSV, by RFC 4180. */
export function toCsv(row: AuditRow): string {
  const facts = factsOf(row);
  return `${columns.map((column) => csvCell(facts[column])).join(",")}\r\n`;
}

/** A row as one line of JSON. */
export function toJsonLine(row: AuditRow): string {
  return `${JSON.stringify(factsOf(row))}\n`;
}

function factsOf(row: AuditRow): Record<(typeof columns)[number], unknown> {
  const { createdAt, id: _id, ...rest } = row;
  return { ...rest, time: createdAt.toISOString() };
}

/** People choose names, and spreadsheets run what begins like a formula: such cells get an apostrophe. */
function csvCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text =
    typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value);
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
