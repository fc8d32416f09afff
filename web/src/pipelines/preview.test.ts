import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { createRoot, createSignal } from "solid-js";
import { expect, test } from "vitest";

import { Severity } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { PreviewPipelineResponseSchema } from "#gen/vectorflow/v1/pipeline_service_pb.ts";

import { aProblem } from "../testing/builders.ts";
import { FakeClock, settle } from "../testing/fake-clock.ts";
import { createPreview, deployBlock, previewDelayMs, sortProblems } from "./preview.ts";

test("checks at once, then only after a pause, and drops what is out of date", async () => {
  const clock = new FakeClock();
  const asked: string[] = [];
  const signals: AbortSignal[] = [];
  const [text, setText] = createSignal("one");
  const { preview, dispose } = createRoot((dispose) => ({
    dispose,
    preview: createPreview(text, {
      clock,
      preview(yaml, signal) {
        asked.push(yaml);
        signals.push(signal);
        return yaml === "bad"
          ? Promise.reject(new ConnectError("down", Code.Unavailable))
          : Promise.resolve(create(PreviewPipelineResponseSchema, { configYaml: yaml }));
      },
    }),
  }));
  await settle();
  expect(preview.checked()?.text).toBe("one");
  setText("two");
  expect(preview.checking()).toBe(true);
  await clock.advance(previewDelayMs - 1);
  setText("three");
  await clock.advance(previewDelayMs);
  expect(asked).toEqual(["one", "three"]);
  expect(signals[0]?.aborted).toBe(true);
  expect(preview.checked()?.response.configYaml).toBe("three");
  expect(preview.checking()).toBe(false);
  setText("bad");
  await clock.advance(previewDelayMs);
  expect(preview.error()?.kind).toBe("unreachable");
  dispose();
});

test("errors come first, then the order of the text", () => {
  const late = aProblem({ from: 90 });
  const early = aProblem({ from: 10 });
  const warning = aProblem({ severity: Severity.WARNING, from: 1 });
  expect(sortProblems([late, warning, early])).toEqual([early, late, warning]);
});

test.each([
  [[], undefined],
  [[aProblem({ severity: Severity.WARNING })], undefined],
  [[aProblem(), aProblem()], "Fix 2 errors in parse before deploying"],
  [[aProblem({ componentKey: "" })], "Fix 1 error before deploying"],
  [
    ["a", "b", "c", "d"].map((componentKey) => aProblem({ componentKey })),
    "Fix 4 errors in a, b, c and 1 more before deploying",
  ],
])("a deploy is refused for errors, naming components", (problems, expected) => {
  expect(deployBlock(problems)).toBe(expected);
});
