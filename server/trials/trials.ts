import { createHash } from "node:crypto";
import { DomainError } from "../errors.ts";
import type { PipelineCompiler } from "../configuration/compiler.ts";
import { checkContextOf, placementOf } from "../pipelines/compile-in.ts";
import type { Pipeline } from "../pipelines/pipeline.entity.ts";
import { findPipeline } from "../pipelines/pipelines.ts";
import {
  listSamples,
  readComponentSamples,
  readSample,
  type SampleView,
} from "../sampling/samples.ts";
import type { Scope } from "../scope.ts";
import type { SampleTried, TestsRan } from "./trial-work.ts";

/** Runs the tests of a text on the server. */
export async function runTests(
  scope: Scope,
  compiler: PipelineCompiler,
  pipeline: Pipeline,
  text: string,
): Promise<TestsRan> {
  const context = await checkContextOf(scope, compiler, placementOf(pipeline), text);
  return compiler.runTests(text, context, scope.clock.now());
}

/** Runs the transforms of a text over a sample of its pipeline; with "" over the newest that has events. */
export async function tryOnSample(
  scope: Scope,
  compiler: PipelineCompiler,
  input: { readonly pipelineId: string; readonly yaml: string; readonly sampleId: string },
): Promise<SampleTried & { readonly sample: SampleView | undefined }> {
  const pipeline = await findPipeline(scope, input.pipelineId);
  const context = await checkContextOf(scope, compiler, placementOf(pipeline), input.yaml);
  const sample =
    input.sampleId === ""
      ? (await listSamples(scope, pipeline.id, undefined, 20)).find(
          ({ status }) => status === "COMPLETED",
        )
      : await readSample(scope, pipeline.id, input.sampleId);
  const components = sample === undefined ? [] : await readComponentSamples(scope, sample.id);
  const samples = new Map(components.map(({ componentKey, events }) => [componentKey, events]));
  return { ...(await compiler.tryOnSample(input.yaml, context, samples)), sample };
}

/**
 * Throws `precondition` unless all tests of the draft pass. Those that only Vector can run pass when a host has run
 * the tests of this very configuration. A draft without tests passes nothing.
 */
export async function refuseUntested(
  scope: Scope,
  compiler: PipelineCompiler,
  pipeline: Pipeline,
  configYaml: string,
): Promise<void> {
  const { tests } = await runTests(scope, compiler, pipeline, pipeline.yaml);
  const refuse = (reason: string, message: string): never => {
    throw new DomainError("precondition", reason, message);
  };
  if (tests.length === 0) {
    refuse("tests_missing", "this pipeline is deployed only when its tests pass, and it has none");
  }
  const failed = tests.find(({ state }) => state === "failed");
  if (failed !== undefined) {
    refuse("tests_failed", `the test ${failed.name} fails: ${failed.messages.join("\n")}`);
  }
  const notRun = tests.find(({ state }) => state === "not_run");
  if (notRun === undefined || pipeline.testedHash === testedHashOf(configYaml)) return;
  refuse(
    "tests_not_run",
    `the test ${notRun.name} runs only in Vector: let a host run the tests of this draft first`,
  );
}

/** Tells a configuration from any other: by its bytes as hosts would get it, tests included. */
export function testedHashOf(configYaml: string): string {
  return createHash("sha256").update(configYaml).digest("hex");
}
