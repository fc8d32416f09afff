import { expect, test } from "vitest";

import {
  DeployStep,
  NodeReachability,
  PipelineState,
  ProcessState,
} from "#gen/vectorflow/v1/pipeline_pb.ts";

import { aPipelineLive, aStatus } from "../testing/builders.ts";
import {
  countProgress,
  pipelineWord,
  progressOf,
  statusLine,
  statusWord,
} from "./pipeline-state.ts";

test.each([
  [DeployStep.WAITING, "waiting", ["waiting", "waiting", "waiting", "waiting"]],
  [DeployStep.RECEIVED, "validating", ["done", "active", "waiting", "waiting"]],
  [DeployStep.VALIDATED, "validated", ["done", "done", "waiting", "waiting"]],
  [DeployStep.APPLYING, "applying", ["done", "done", "active", "waiting"]],
  [DeployStep.HEALTHY, "healthy", ["done", "done", "done", "done"]],
])("step %i is %s", (step, word, steps) => {
  expect(progressOf(aStatus({ step }))).toMatchObject({ word, steps });
});

test("a failure is marked on the step that it happened in", () => {
  const atValidation = aStatus({ step: DeployStep.FAILED });
  atValidation.validateTime = undefined;
  expect(progressOf(atValidation).steps).toEqual(["done", "failed", "waiting", "waiting"]);
  const atProbation = aStatus({ step: DeployStep.ROLLED_BACK });
  expect(progressOf(atProbation)).toMatchObject({
    kind: "rolled-back",
    steps: ["done", "done", "done", "failed"],
  });
});

test("a host that cannot be reached is not believed", () => {
  const status = aStatus({ reachability: NodeReachability.UNREACHABLE });
  expect(statusWord(status)).toEqual({ tone: "idle", word: "unreachable, was running" });
});

test("counts a deploy over hosts", () => {
  const steps = [DeployStep.HEALTHY, DeployStep.FAILED, DeployStep.APPLYING, DeployStep.WAITING];
  expect(countProgress(steps.map((step) => aStatus({ step })))).toEqual({
    waiting: 1,
    moving: 1,
    healthy: 1,
    failed: 1,
    "rolled-back": 0,
  });
});

test.each([
  [{ summary: { deployedVersion: 3 } }, "v3 on 1/1 host"],
  [{ summary: { deployedVersion: 3, changed: true } }, "v3 on 1/1 host · draft has changes"],
  [{ nodesDesired: 0, summary: { deployedVersion: 3 } }, "v3, but no host to run on"],
  [{ summary: { draft: true, deployedVersion: 0 } }, "never deployed"],
  [
    { summary: { draft: true, state: PipelineState.UNDEPLOYED, undeployedVersion: 2 } },
    "v2 was taken off all hosts",
  ],
  [
    { summary: { draft: true, changed: true, state: PipelineState.PAUSED, pausedVersion: 3 } },
    "no host runs it; v3 comes back when it is resumed · draft has changes",
  ],
])("says in a line what is deployed", (init, expected) => {
  expect(statusLine(aPipelineLive(init))).toBe(expected);
});

test("a pipeline is as bad as its worst host", () => {
  expect(pipelineWord(aPipelineLive({ worstState: ProcessState.CRASHED })).word).toBe("crashed");
  expect(pipelineWord(aPipelineLive({ nodesDesired: 0 })).word).toBe("waiting");
  const words = [PipelineState.NEVER_DEPLOYED, PipelineState.UNDEPLOYED, PipelineState.PAUSED];
  expect(
    words.map((state) => pipelineWord(aPipelineLive({ summary: { draft: true, state } })).word),
  ).toEqual(["draft", "undeployed", "paused"]);
});
