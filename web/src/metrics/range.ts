/** The time ranges of charts. */
export const ranges = [
  { value: "15m", label: "15 min", ms: 15 * 60_000 },
  { value: "1h", label: "1 h", ms: 3_600_000 },
  { value: "6h", label: "6 h", ms: 6 * 3_600_000 },
  { value: "24h", label: "24 h", ms: 24 * 3_600_000 },
  { value: "7d", label: "7 d", ms: 7 * 24 * 3_600_000 },
] as const;

export type RangeId = (typeof ranges)[number]["value"];

export const refreshMs = 10_000;

/** The range that an address names; the smallest when it names none. */
export function parseRange(value: string | string[] | undefined): (typeof ranges)[number] {
  return ranges.find((range) => range.value === value) ?? ranges[0];
}
