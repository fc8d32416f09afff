import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { MetricSeriesSchema, TimeAxisSchema } from "#gen/vectorflow/v1/metric_pb.ts";

import { toTimestamp } from "../lib/time.ts";
import { parseRange } from "./range.ts";
import { summarize, toChartData } from "./series.ts";

const axis = create(TimeAxisSchema, {
  startTime: toTimestamp(60_000),
  stepSeconds: 10,
  pointCount: 3,
});
const lines = [
  { name: "in", label: "In", color: "--chart-1" },
  { name: "out", label: "Out", color: "--chart-2" },
];

test("gaps stay gaps", () => {
  const series = [create(MetricSeriesSchema, { name: "in", values: [1, Number.NaN, 3] })];
  expect(toChartData(axis, series, lines)).toEqual({
    times: [60, 70, 80],
    lines: [
      [1, null, 3],
      [null, null, null],
    ],
  });
});

test("the whole goes before its parts", () => {
  const series = [
    create(MetricSeriesSchema, { name: "in", subject: "eth0", values: [1, 1, 1] }),
    create(MetricSeriesSchema, { name: "in", values: [5, 5, 5] }),
  ];
  expect(toChartData(axis, series, lines).lines[0]).toEqual([5, 5, 5]);
});

test("a summary leaves gaps out", () => {
  expect(summarize([null, 2, 4, null])).toEqual({ min: 2, mean: 3, max: 4, last: 4 });
  expect(summarize([null]).last).toBeUndefined();
});

test("an address without a range means the smallest", () => {
  expect(parseRange(undefined).value).toBe("15m");
  expect(parseRange("7d").ms).toBe(604_800_000);
  expect(parseRange("nonsense").value).toBe("15m");
});
