import type { MetricSeries, TimeAxis } from "#gen/vectorflow/v1/metric_pb.ts";

import { toDate } from "../lib/time.ts";

/** What a chart draws: times in seconds, and a value or a gap for each. */
export interface ChartData {
  readonly times: readonly number[];
  readonly lines: readonly (readonly (number | null)[])[];
}

export interface Line {
  readonly name: string;
  readonly label: string;
  /** A custom property of the chart palette. */
  readonly color: string;
  readonly dash?: readonly number[];
}

export interface Summary {
  readonly min: number | undefined;
  readonly mean: number | undefined;
  readonly max: number | undefined;
  readonly last: number | undefined;
}

/** Picks the lines out of a response. NaN is a gap; a series that is missing is one long gap. */
export function toChartData(
  axis: TimeAxis | undefined,
  series: readonly MetricSeries[],
  lines: readonly Line[],
): ChartData {
  if (axis?.startTime === undefined) return { times: [], lines: lines.map(() => []) };
  const start = toDate(axis.startTime).getTime() / 1000;
  const times = Array.from(
    { length: axis.pointCount },
    (_, index) => start + index * axis.stepSeconds,
  );
  return {
    times,
    lines: lines.map(({ name }) => {
      const named = series.filter((candidate) => candidate.name === name);
      const values = (named.find(({ subject }) => subject === "") ?? named[0])?.values ?? [];
      return times.map((_, index) => {
        const value = values[index];
        return value === undefined || !Number.isFinite(value) ? null : value;
      });
    }),
  };
}

export function summarize(values: readonly (number | null)[]): Summary {
  const known = values.filter((value) => value !== null);
  if (known.length === 0)
    return { min: undefined, mean: undefined, max: undefined, last: undefined };
  return {
    min: Math.min(...known),
    mean: known.reduce((sum, value) => sum + value, 0) / known.length,
    max: Math.max(...known),
    last: known.at(-1),
  };
}
