const units = ["", "k", "M", "G", "T"];

/** A number in at most three digits, as in 12.3k; an unknown one is a dash, never a zero. */
export function formatCount(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "–";
  return scaled(value, 1000, units);
}

/** A rate per second, as in "1.2k/s". */
export function formatRate(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "–";
  return `${formatCount(value)}/s`;
}

export function formatBytes(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "–";
  return scaled(value, 1024, [" B", " KiB", " MiB", " GiB", " TiB", " PiB"]);
}

/** A share of one, as in "42 %". */
export function formatPercent(ratio: number | undefined): string {
  if (ratio === undefined || !Number.isFinite(ratio)) return "–";
  const percent = ratio * 100;
  return `${percent > 0 && percent < 10 ? trim(percent, 1) : Math.round(percent)} %`;
}

/** As in "1 host", "3 hosts". */
export function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

function scaled(value: number, base: number, names: readonly string[]): string {
  let rest = Math.abs(value);
  let power = 0;
  while (rest >= base && power < names.length - 1) {
    rest /= base;
    power++;
  }
  const digits = power === 0 && Number.isInteger(value) ? 0 : rest < 10 ? 1 : 0;
  const text = rest > 0 && rest < 0.1 && power === 0 ? "<0.1" : trim(rest, digits);
  return `${value < 0 ? "-" : ""}${text}${names[power] ?? ""}`;
}

function trim(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return text.endsWith(".0") ? text.slice(0, -2) : text;
}
