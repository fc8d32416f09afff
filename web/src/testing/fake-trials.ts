import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";

import {
  TrialService,
  UnitTestState,
  type TransformTrialSchema,
  type UnitTestSchema,
} from "#gen/vectorflow/v1/trial_service_pb.ts";

import { aProblem } from "./builders.ts";
import type { FakeWorld } from "./fake-world.ts";

/** What trials of any draft would give. */
export class FakeTrials {
  tests: MessageInitShape<typeof UnitTestSchema>[] = [];
  transforms: MessageInitShape<typeof TransformTrialSchema>[] = [];
  gate = false;
}

export function fakeTrialRoutes(router: ConnectRouter, world: FakeWorld): void {
  const { trials } = world;
  const problemsOf = (yaml: string) =>
    yaml.includes("broken") ? [aProblem({ message: "it is broken" })] : [];
  router.service(TrialService, {
    runTests({ yaml }) {
      world.enter("runTests");
      const problems = problemsOf(yaml);
      return { problems, tests: problems.length > 0 ? [] : trials.tests, gate: trials.gate };
    },
    tryOnSample({ yaml, sampleId }) {
      world.enter("tryOnSample");
      const problems = problemsOf(yaml);
      const sample = sampleId || (world.inspection.samples[0]?.id ?? "");
      return { problems, sampleId: sample, transforms: sample === "" ? [] : trials.transforms };
    },
    async *runTestsOnHost() {
      world.enter("runTestsOnHost");
      yield { nodeName: "edge-01" };
      const tests = trials.tests.map(({ name = "" }) => ({ name, state: UnitTestState.PASSED }));
      yield { nodeName: "edge-01", done: true, vectorVersion: "0.58.0", tests };
    },
    setTestGate({ enabled }) {
      world.enter("setTestGate");
      trials.gate = enabled;
      return {};
    },
  });
}
