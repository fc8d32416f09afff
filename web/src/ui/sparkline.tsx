import type { JSX } from "solid-js";

/** A line without axes. Gaps (undefined) stay gaps; the scale starts at zero. */
export function Sparkline(props: {
  values: readonly (number | undefined)[];
  width?: number;
  height?: number;
}): JSX.Element {
  return (
    <svg
      class="sparkline"
      width={props.width ?? 96}
      height={props.height ?? 22}
      viewBox={`0 0 ${props.width ?? 96} ${props.height ?? 22}`}
      aria-hidden="true"
    >
      <path
        d={sparklinePath(props.values, props.width ?? 96, props.height ?? 22)}
        fill="none"
        stroke="var(--chart-1)"
        stroke-width="1.5"
        stroke-linejoin="round"
      />
    </svg>
  );
}

/** The path, newest value at the right edge. */
export function sparklinePath(
  values: readonly (number | undefined)[],
  width: number,
  height: number,
): string {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return "";
  const top = Math.max(...known, Number.MIN_VALUE);
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let path = "";
  let pen = false;
  for (const [index, value] of values.entries()) {
    if (value === undefined) {
      pen = false;
      continue;
    }
    const x = (index * step).toFixed(1);
    const y = (height - 2 - (value / top) * (height - 4)).toFixed(1);
    path += `${pen ? "L" : "M"}${x} ${y}`;
    pen = true;
  }
  return path;
}
