import { createHash } from "node:crypto";
import { DomainError } from "../errors.ts";
import type { PipelineCompiler } from "../configuration/compiler.ts";
import { checkContextOf, placementOf } from "../pipelines/compile-in.ts";
import type { Placement } from "../pipelines/neighbours.ts";
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

/** What is to be deployed behind a test gate. */
export interface TestedText {
  readonly placement: Placement;
  readonly text: string;
  /** As hosts would get it. */
  readonly configYaml: string;
  /** The configuration whose tests passed on a host last. */
  readonly testedHash: string | null;
  /** Values of variables that count instead of the environment's. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Why a gate stays closed: a stable reason, and words. */
export interface TestObjection {
  readonly reason: "tests_missing" | "tests_failed" | "tests_not_run";
  readonly message: string;
}

/**
 * What keeps a text without errors behind its gate; nothing when all its tests pass. Those that only Vector can run
 * pass when a host has run the tests of this very configuration. A text without tests passes nothing.
 */
export async function findTestObjections(
  scope: Scope,
  compiler: PipelineCompiler,
  { placement, text, configYaml, testedHash, variables = {} }: TestedText,
): Promise<readonly TestObjection[]> {
  const context = await checkContextOf(scope, compiler, placement, text, { variables });
  const { tests } = await compiler.runTests(text, context, scope.clock.now());
  if (tests.length === 0) {
    const message = "this pipeline is deployed only when its tests pass, and it has none";
    return [{ reason: "tests_missing", message }];
  }
  const failed = tests
    .filter(({ state }) => state === "failed")
    .map(({ name, messages }): TestObjection => {
      return { reason: "tests_failed", message: `the test ${name} fails: ${messages.join("\n")}` };
    });
  if (testedHash === testedHashOf(configYaml)) return failed;
  const notRun = tests
    .filter(({ state }) => state === "not_run")
    .map(({ name }): TestObjection => {
      const message = `the test ${name} runs only in Vector: let a host run the tests of this text first`;
      return { reason: "tests_not_run", message };
    });
  return [...failed, ...notRun];
}

/** Throws `precondition` unless all tests of the draft pass. */
export async function refuseUntested(
  scope: Scope,
  compiler: PipelineCompiler,
  pipeline: Pipeline,
  configYaml: string,
): Promise<void> {
  const [objection] = await findTestObjections(scope, compiler, {
    placement: placementOf(pipeline),
    text: pipeline.yaml,
    configYaml,
    testedHash: pipeline.testedHash ?? null,
  });
  if (objection === undefined) return;
  throw new DomainError("precondition", objection.reason, objection.message);
}

/** Tells a configuration from any other: by its bytes as hosts would get it, tests included. */
export function testedHashOf(configYaml: string): string {
  return createHash("sha256").update(configYaml).digest("hex");
}
