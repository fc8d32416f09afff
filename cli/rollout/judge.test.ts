import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  DeployStep,
  NodePipelineStatusSchema,
  NodeReachability,
  ProcessState,
} from "#gen/vectorflow/v1/pipeline_pb.ts";
import { isGood, isSettled, judgeHosts } from "./judge.ts";

const healthy = {
  nodeId: "1",
  nodeName: "ams",
  desiredVersion: 4,
  effectiveVersion: 4,
  state: ProcessState.RUNNING,
  step: DeployStep.HEALTHY,
  reachability: NodeReachability.CONNECTED,
};

const hostsOf = (...changes: MessageInitShape<typeof NodePipelineStatusSchema>[]) =>
  judgeHosts(
    changes.map((change) => create(NodePipelineStatusSchema, { ...healthy, ...change })),
    4,
  );

describe("a host", () => {
  test.each([
    ["runs it", {}, "healthy"],
    ["runs an older version with the same content", { effectiveVersion: 3 }, "healthy"],
    ["runs it and was lost since", { reachability: NodeReachability.UNREACHABLE }, "unreachable"],
    ["was not told yet", { desiredVersion: 3 }, "waiting"],
    ["is told", { step: DeployStep.WAITING }, "waiting"],
    ["applies it", { step: DeployStep.APPLYING, state: ProcessState.STARTING }, "waiting"],
    [
      "holds from the attempt before",
      { step: DeployStep.VALIDATED, state: ProcessState.HELD },
      "waiting",
    ],
    ["refused it", { step: DeployStep.FAILED, reason: "no disk" }, "failed"],
    ["went back", { step: DeployStep.ROLLED_BACK, effectiveVersion: 3 }, "failed"],
    [
      "refused it and was lost",
      { step: DeployStep.FAILED, reachability: NodeReachability.UNREACHABLE },
      "failed",
    ],
    ["crashed after it", { state: ProcessState.CRASHED }, "failed"],
    ["does not deliver", { state: ProcessState.NOT_DELIVERING }, "failed"],
    ["starts it again", { state: ProcessState.STARTING }, "waiting"],
    ["got a newer one", { desiredVersion: 5 }, "superseded"],
  ])("that %s", (_name, change, kind) => {
    expect(hostsOf(change)).toMatchObject([{ node: "ams", kind }]);
  });

  test("that it is not for any longer does not count", () => {
    expect(hostsOf({ desiredVersion: 0, step: DeployStep.FAILED })).toEqual([]);
  });

  test("says why it failed and what runs", () => {
    const [failed] = hostsOf({
      step: DeployStep.ROLLED_BACK,
      effectiveVersion: 3,
      reason: "port 80 is taken",
    });
    expect(failed?.text).toBe("went back, version 3 runs: port 80 is taken");
  });
});

test("waiting ends when every host has come to an end, and is good when all run it", () => {
  const away = { nodeId: "2", nodeName: "FRA", reachability: NodeReachability.UNREACHABLE };
  const all = hostsOf(away, {});
  expect(all.map(({ node }) => node)).toEqual(["ams", "FRA"]);
  expect([
    isSettled(all, false),
    isSettled(all, true),
    isGood(all, false),
    isGood(all, true),
  ]).toEqual([false, true, false, true]);
  const failed = hostsOf({}, { nodeId: "2", step: DeployStep.FAILED });
  expect([isSettled(failed, false), isGood(failed, true)]).toEqual([true, false]);
  // A pipeline that is for no host has nothing to wait for.
  expect([isSettled([], false), isGood([], false)]).toEqual([true, true]);
});
