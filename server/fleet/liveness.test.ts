import { expect, test } from "vitest";
import { assessNode, heartbeatInterval, leaseMs } from "./liveness.ts";

const fine = {
  vectorProblem: "",
  fenced: false,
  rival: "",
  lostLogLines: 0,
  diskUsedRatio: 0.5,
  memoryUsedRatio: 0.5,
  pipelines: [{ name: "a", state: "running" as const }],
};

test("a node without trouble is healthy, one with trouble says which, worst first", () => {
  expect(assessNode(fine)).toEqual({ status: "HEALTHY", reasons: [] });
  const bad = assessNode({
    ...fine,
    diskUsedRatio: 0.97,
    pipelines: [
      { name: "a", state: "held" },
      { name: "b", state: "crashed" },
    ],
  });
  expect(bad.status).toBe("DEGRADED");
  expect(bad.reasons).toEqual(["b crashed", "a held on the version before", "a disk is 97 % full"]);
});

test("the interval grows with the fleet, and the lease with the interval (P8)", () => {
  expect(heartbeatInterval(5000, 10)).toBe(5000);
  expect(heartbeatInterval(5000, 25_000)).toBe(25_000);
  expect(leaseMs(5000)).toBe(15_000);
  expect(leaseMs(250)).toBe(10_000);
});
