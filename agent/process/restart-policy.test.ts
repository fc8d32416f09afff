import { expect, test } from "vitest";
import { afterExit, noFailures, stableAfterMs } from "./restart-policy.ts";

/** The pauses of ten ends in a row, each after so long a run. */
function pauses(upMs: number, random: number): readonly number[] {
  let history = noFailures;
  return Array.from({ length: 10 }, () => {
    const decision = afterExit(history, upMs, random);
    history = decision.history;
    return decision.delayMs / 1000;
  });
}

test("the pause grows from one second to a minute", () => {
  expect(pauses(0, 1)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
});

test("jitter spreads the pauses, and none is shorter than a second (A10)", () => {
  expect(pauses(0, 0)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  expect(pauses(0, 0.5).at(-1)).toBe(30.5);
});

test("a run of a minute forgives all earlier ends", () => {
  expect(pauses(stableAfterMs, 1)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
});
