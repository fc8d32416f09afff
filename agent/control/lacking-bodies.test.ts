import { expect, test } from "vitest";
import { LackingBodies } from "./lacking-bodies.ts";

test("asks after a pause, and ever less often a server that does not answer", () => {
  const bodies = new LackingBodies();
  const asked: number[] = [];
  for (let second = 0; second <= 400; second++) {
    if (bodies.due(["p1"], second * 1000).length > 0) asked.push(second);
  }
  expect(asked).toEqual([10, 30, 70, 150, 310]);
});

test("begins anew for a pipeline that had its body in between", () => {
  const bodies = new LackingBodies();
  bodies.due(["p1"], 0);
  expect(bodies.due(["p1"], 10_000)).toEqual(["p1"]);
  bodies.due([], 20_000);
  expect(bodies.due(["p1"], 30_000)).toEqual([]);
  expect(bodies.due(["p1"], 40_000)).toEqual(["p1"]);
});
