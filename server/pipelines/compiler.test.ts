import { expect, test } from "vitest";
import { PipelineCompiler } from "./compiler.ts";

const context = { secretNames: new Set<string>(), certificateNames: new Set<string>() };
const pipeline = (source: string): string => `sources:
  in: {type: demo_logs, format: json}
transforms:
  t: {type: remap, inputs: [in], source: ${JSON.stringify(source)}}
sinks:
  out: {type: blackhole, inputs: [t]}
`;

test("a program that breaks the compiler costs its thread, and the next one is compiled", async () => {
  await using compiler = new PipelineCompiler(20_000);
  const depth = 20_000;
  const nested = `.x = ${"(".repeat(depth)}1${")".repeat(depth)}`;
  await expect(compiler.compile(pipeline(nested), context)).rejects.toThrow(/programs smaller/);
  const good = await compiler.compile(pipeline(".x = upcase(string!(.a))"), context);
  expect(good.problems).toEqual([]);
  const bad = await compiler.compile(pipeline(".x = upcase(.a)"), context);
  expect(bad.problems).toHaveLength(1);
});
