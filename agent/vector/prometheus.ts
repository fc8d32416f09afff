/** One series of a metrics page. */
export interface Series {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/;
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

function unescape(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
}

function numberOf(text: string): number {
  if (text === "+Inf") return Infinity;
  if (text === "-Inf") return -Infinity;
  return text === "" ? Number.NaN : Number(text);
}

/**
 * Reads a page in the Prometheus text format. Comments, histograms' buckets and anything that is
 * not a series are left out; a bad line costs that line.
 */
export function parsePrometheus(page: string): readonly Series[] {
  const series: Series[] = [];
  for (const text of page.split("\n")) {
    if (text === "" || text.startsWith("#")) continue;
    const match = line.exec(text);
    if (match === null) continue;
    const [, name = "", labels = "", value = ""] = match;
    const number = numberOf(value);
    if (Number.isNaN(number)) continue;
    const pairs = [...labels.matchAll(label)].map(
      ([, key = "", raw = ""]) => [key, unescape(raw)] as const,
    );
    series.push({ name, labels: new Map(pairs), value: number });
  }
  return series;
}
