import { describe, expect, test } from "vitest";
import { parseEventJson } from "./event-json.ts";
import { findTargets } from "./tap-target.ts";
import { unwrapped } from "./tap-stream.ts";

const config = `
sources: { in: { type: demo_logs }, __vectorflow_metrics: { type: internal_metrics } }
transforms: { by: { type: route, inputs: [in] }, "odd*": { type: remap, inputs: [in] } }
sinks: { out: { type: blackhole, inputs: [by.a] } }
`;

describe("targets of a tap", () => {
  test("are outputs of what has outputs, and inputs of sinks", () => {
    expect(findTargets(config, ["in", "by.a", "out", "odd*", "in"])).toEqual({
      kind: "found",
      targets: [
        { componentId: "in", outputs: ["in", "in.*"], inputs: [] },
        { componentId: "by.a", outputs: ["by.a"], inputs: [] },
        { componentId: "out", outputs: [], inputs: ["out"] },
        { componentId: "odd*", outputs: ["odd[*]", "odd[*].*"], inputs: [] },
      ],
    });
  });

  test.each([["*"], ["nothing"], ["__vectorflow_metrics"], ["in,out"], ["constructor"], [""]])(
    "are not %j",
    (id) => {
      expect(findTargets(config, [id])).toMatchObject({ kind: "problem" });
    },
  );

  test("are at least one and at most ten", () => {
    expect(findTargets(config, [])).toMatchObject({ kind: "problem" });
    const many = Array.from({ length: 11 }, (_, i) => `by.${i}`);
    expect(findTargets(config, many)).toMatchObject({ kind: "problem" });
  });
});

test.each([
  ["0.54.0", '{"log":{"a":1}}', '{"log":{"a":1}}'],
  ["0.54.0", '{"a":1}', '{"a":1}'],
  ["0.55.0", '{"log":{"a":1}}', '{"a":1}'],
  ["0.58.0", '{"metric":{"name":"x"}}', '{"name":"x"}'],
])("a line of vector tap %s: %s", (version, line, event) => {
  const parsed = parseEventJson(line);
  expect(parsed instanceof Map && unwrapped(parsed, version)).toEqual(parseEventJson(event));
});
