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

test("a program that does not end costs the trial, and the next one is run", async () => {
  await using compiler = new PipelineCompiler(3000);
  const loop = "for_each(a) -> |_i, x| { .n = x }";
  const nested = Array.from({ length: 5 }).reduce<string>(
    (inner) => `for_each(a) -> |_i, x| { ${inner} }`,
    loop,
  );
  const test = (value: string): string => `tests:
  - name: t
    inputs: [{insert_at: t, value: ${value}}]
    outputs: [{extract_from: t}]
`;
  const endless = `${pipeline(`a = split!(.message, "")\n${nested}`)}${test("x".repeat(400))}`;
  const now = new Date();
  await expect(compiler.runTests(endless, context, now)).rejects.toThrow(/programs smaller/);
  const { tests } = await compiler.runTests(`${pipeline(".a = 1")}${test("x")}`, context, now);
  expect(tests).toMatchObject([{ state: "passed" }]);
});

test("a text whose aliases or merges lead nowhere is told so, and costs no thread", async () => {
  await using compiler = new PipelineCompiler(20_000);
  for (const text of [
    "sources:\n  a:\n    <<: base\n    type: stdin\n",
    "sources: &a\n  x: *a\n",
    "sources:\n  a: &a {type: stdin, x: *a}\n",
    "sources:\n  a: {type: stdin, lines: &l [x, *l]}\n",
    "tests: &t [*t]\n",
  ]) {
    const { problems } = await compiler.compile(text, context);
    expect(problems.map(({ message, span }) => [message, span?.from])).toEqual([
      [
        expect.stringMatching(/^(?:<< takes a map|the alias \*\w stands within)/),
        expect.any(Number),
      ],
    ]);
    const edit = { kind: "rename-component", key: "a", newKey: "b" } as const;
    expect(await compiler.edit(text, edit)).toMatchObject({ kind: "impossible" });
    expect(await compiler.export(text, "json")).toMatchObject({ kind: "impossible" });
    const files = [{ path: "a.yaml", content: Buffer.from(text) }];
    const { problems: refused } = await compiler.import(files);
    expect(refused).toMatchObject([{ path: "a.yaml", line: expect.any(Number) as number }]);
  }
});

test("a small text does not wait for a large one", async () => {
  await using compiler = new PipelineCompiler(20_000);
  const order: string[] = [];
  const large = `${pipeline(`.x = ${"[1,".repeat(1)}2]`)}# ${"x".repeat(600_000)}\n`;
  const programs = Array.from(
    { length: 500 },
    (_, at) => `  t${at}: {type: filter, inputs: [in], condition: '.a == ${at}'}\n`,
  );
  await Promise.all([
    compiler
      .compile(large.replace("sinks:", `${programs.join("")}sinks:`), context)
      .then(() => order.push("large")),
    compiler.compile(pipeline(".x = 1"), context).then(() => order.push("small")),
  ]);
  expect(order).toEqual(["small", "large"]);
});
