import { expect, test } from "vitest";

import { sparklinePath } from "./sparkline.tsx";
import { visibleRange } from "./visible-range.ts";

test.each([
  [0, { start: 0, end: 18 }],
  [3_600, { start: 92, end: 118 }],
  [999_999, { start: 992, end: 1_000 }],
])("at %i px the rows in view and some more are drawn", (scrollTop, expected) => {
  expect(visibleRange(scrollTop, 360, 36, 1_000, 8)).toEqual(expected);
});

test("an empty table has no rows", () => {
  expect(visibleRange(0, 360, 36, 0, 8)).toEqual({ start: 0, end: 0 });
});

test("a gap lifts the pen", () => {
  const path = sparklinePath([1, 2, undefined, 2], 30, 20);
  expect(path.match(/M/g)).toHaveLength(2);
  expect(sparklinePath([undefined], 30, 20)).toBe("");
});

test("zeros lie on the ground", () => {
  expect(sparklinePath([0, 0], 10, 20)).toBe("M0.0 18.0L10.0 18.0");
});
