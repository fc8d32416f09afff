import type { ServiceImpl } from "@connectrpc/connect";
import {
  EventVerdict,
  UnitTestState,
  type TrialService,
} from "#gen/vectorflow/v1/trial_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { problemsToProto } from "../pipelines/pipeline-proto.ts";
import { findPipeline } from "../pipelines/pipelines.ts";
import { callScope } from "../rpc/call-scope.ts";
import { optionalTime } from "../rpc/time-proto.ts";
import { editorLife } from "../sampling/editor-life.ts";
import { setTestGate } from "./test-gate.ts";
import { runTestsOnHost } from "./tests-on-host.ts";
import { runTests, tryOnSample } from "./trials.ts";
import type { UnitTestResult } from "./unit-tests.ts";
import type { EventTrial } from "./what-if.ts";

const states = {
  passed: UnitTestState.PASSED,
  failed: UnitTestState.FAILED,
  not_run: UnitTestState.NOT_RUN,
} satisfies Record<UnitTestResult["state"], UnitTestState>;

const verdicts = {
  unchanged: EventVerdict.UNCHANGED,
  modified: EventVerdict.MODIFIED,
  dropped: EventVerdict.DROPPED,
  error: EventVerdict.ERROR,
} satisfies Record<EventTrial["verdict"], EventVerdict>;

/** What a draft does, before it is deployed. */
export function trialRpc(deps: ServerDeps): ServiceImpl<typeof TrialService> {
  const { compiler } = deps;
  return {
    async runTests({ pipelineId, yaml }, ctx) {
      const scope = callScope(deps, ctx);
      const pipeline = await findPipeline(scope, pipelineId);
      const ran = await runTests(scope, compiler, pipeline, yaml);
      return {
        problems: problemsToProto(ran.problems, yaml),
        tests: ran.tests.map(({ name, state, messages, span }) => ({
          name,
          state: states[state],
          messages: [...messages],
          ...span,
        })),
        gate: pipeline.testGate,
      };
    },
    async tryOnSample(request, ctx) {
      const { sample, ...tried } = await tryOnSample(callScope(deps, ctx), compiler, request);
      return {
        problems: problemsToProto(tried.problems, request.yaml),
        sampleId: sample?.id ?? "",
        nodeName: sample?.nodeName ?? "",
        ...optionalTime("sampleTime", sample?.completedAt ?? undefined),
        transforms: tried.transforms.map((transform) => ({
          ...transform,
          omittedCount: transform.omitted,
          events: transform.events.map((event) => ({
            ...event,
            verdict: verdicts[event.verdict],
            after: [...event.after],
          })),
        })),
      };
    },
    async *runTestsOnHost(request, ctx) {
      using life = editorLife(deps, ctx, request.pipelineId);
      const scope = callScope(deps, ctx);
      for await (const { tests, ...news } of runTestsOnHost(deps, scope, request, life.signal)) {
        yield {
          ...news,
          tests: tests.map(({ name, passed, message }) => ({
            name,
            state: passed ? UnitTestState.PASSED : UnitTestState.FAILED,
            messages: message === "" ? [] : message.split("\n"),
          })),
        };
      }
      life.throwIfEnded();
    },
    async setTestGate({ pipelineId, enabled }, ctx) {
      await setTestGate(callScope(deps, ctx), pipelineId, enabled);
      return {};
    },
  };
}
