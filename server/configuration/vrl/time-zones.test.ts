import { describe, expect, test } from "vitest";
import { loadVrl } from "#vrl/vrl.ts";
import { compilePipeline } from "../compile.ts";

const context = { secretNames: new Set<string>(), certificateNames: new Set<string>() };

const textOf = (global: string, transform: string): string => `timezone: ${global}
sources:
  in: {type: demo_logs, format: json}
transforms:
  t: {type: remap, inputs: [in], timezone: ${transform}, source: .a = 1}
sinks:
  out: {type: elasticsearch, inputs: [t], endpoints: ["http://a"], metrics: {timezone: ${transform}}}
`;

const problemsIn = (text: string) =>
  compilePipeline(text, context, loadVrl).problems.filter(({ message }) =>
    message.includes("time zone"),
  );

describe("time zones", () => {
  test.each([
    ["Europe/Berlin", "America/Argentina/Buenos_Aires"],
    ["local", "UTC"],
    ['""', "Etc/GMT+3"],
  ])("that Vector knows are none of our business: %s and %s", (global, transform) => {
    expect(problemsIn(textOf(global, transform))).toEqual([]);
  });

  test("that Vector does not know are errors where they stand", () => {
    const text = textOf("Moon/Crater", "berlin");
    const found = problemsIn(text);
    expect(found.map(({ componentKey, field }) => [componentKey, field])).toEqual([
      ["", "timezone"],
      ["t", "timezone"],
      ["out", "metrics.timezone"],
    ]);
    expect(found.map(({ span }) => text.slice(span?.from, span?.to))).toEqual([
      "Moon/Crater",
      "berlin",
      "berlin",
    ]);
    expect(found[0]).toMatchObject({
      severity: "error",
      message: expect.stringContaining('"Moon/Crater"'),
    });
  });
});
