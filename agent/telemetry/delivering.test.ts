import { expect, test } from "vitest";
import { afterCheck, assumedDelivering, type Check } from "./delivering.ts";

const after = (checks: readonly Check[]): boolean =>
  checks.reduce((delivery, check) => afterCheck(delivery, check), assumedDelivering).delivering;

test.each([
  ["two bad checks are not enough", ["bad", "bad"], true],
  ["three bad checks in a row enter the state", ["bad", "bad", "bad"], false],
  ["a good one in between begins anew", ["bad", "bad", "good", "bad", "bad"], true],
  ["silence is neither a fault nor a recovery", ["bad", "unknown", "bad", "unknown", "bad"], false],
  ["two good checks do not leave it", ["bad", "bad", "bad", "good", "good"], false],
  ["three good checks leave it", ["bad", "bad", "bad", "good", "good", "good"], true],
] as const)("%s", (_name, checks, delivering) => {
  expect(after(checks)).toBe(delivering);
});
