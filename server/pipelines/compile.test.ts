import { describe, expect, test } from "vitest";
import { compilePipeline, type CompiledPipeline } from "./compile.ts";
import { demoPipeline } from "./demo.ts";
import { compareGraphs } from "./changes.ts";

const context = { secretNames: new Set(["known"]), certificateNames: new Set<string>() };
const noEngine = async () => ({ check: () => [] });
const compile = (text: string): Promise<CompiledPipeline> =>
  compilePipeline(text, context, noEngine);

const base = (sink: string, more = ""): string => `sources:
  in: {type: demo_logs, format: json}
${more}sinks:
  out:
${sink}`;

describe("compilePipeline", () => {
  test.each([
    [
      "an unknown type",
      base("    {type: blackhoel, inputs: [in]}\n"),
      "out",
      /did you mean blackhole/,
    ],
    [
      "an unknown option",
      base("    {type: blackhole, inputs: [in], rat: 1}\n"),
      "out",
      /unknown option rat; did you mean rate/,
    ],
    ["a missing option", base("    {type: http, inputs: [in]}\n"), "out", /required/],
    [
      "a value of the wrong type",
      base("    {type: blackhole, inputs: [in], rate: fast}\n"),
      "out",
      /rate must be a whole number/,
    ],
    [
      "an input that does not exist",
      base("    {type: blackhole, inputs: [im]}\n"),
      "out",
      /im does not exist; did you mean in/,
    ],
    ["no inputs", base("    {type: blackhole}\n"), "out", /has no inputs/],
    [
      "a metrics sink behind a transform that passes logs on",
      base(
        "    {type: statsd, inputs: [t], mode: udp, address: 'a:1'}\n",
        "transforms:\n  t: {type: filter, inputs: [in], condition: 'true'}\n",
      ),
      "out",
      /takes metric events, but t emits log/,
    ],
    [
      "a cycle",
      base(
        "    {type: blackhole, inputs: [b]}\n",
        "transforms:\n  a: {type: filter, inputs: [b], condition: 'true'}\n  b: {type: filter, inputs: [a], condition: 'true'}\n",
      ),
      "a",
      /form a cycle: (a -> b -> a|b -> a -> b)/,
    ],
    [
      "a secret that does not exist",
      base(
        "    {type: http, inputs: [in], uri: 'http://x/SECRET[nope]', encoding: {codec: json}}\n",
      ),
      "out",
      /no secret named nope/,
    ],
    [
      "an option that the agent owns",
      `data_dir: /x\n${base("    {type: blackhole, inputs: [in]}\n")}`,
      "",
      /data_dir is set by VectorFlow/,
    ],
  ])("refuses %s and says where", async (_name, text, key, message) => {
    const { problems, configYaml } = await compile(text);
    const found = problems.find((problem) => message.test(problem.message));
    expect(problems.map((problem) => problem.message).join("\n")).toMatch(message);
    expect(found?.componentKey).toBe(key);
    expect(configYaml).toBeUndefined();
  });

  test("renders the same bytes for the same text, and the result compiles to itself (S16)", async () => {
    const first = await compile(demoPipeline.yaml);
    expect(first.problems).toEqual([]);
    const second = await compile(first.configYaml ?? "");
    expect(second.configYaml).toBe(first.configYaml);
  });

  test("keeps comments and unknown layout of a component in what it deploys", async () => {
    const { configYaml } = await compile(demoPipeline.yaml);
    expect(configYaml).toContain("# Drop half of the events");
  });

  test("expands wildcards against the person's own components only", async () => {
    const { configYaml } = await compile(base('    {type: blackhole, inputs: ["*"]}\n'));
    expect(configYaml).toMatch(/inputs: *\n? *\[? *-? ?in/);
    expect(configYaml).not.toContain("*");
  });
});

test("moving and commenting mark nothing as changed (S18)", async () => {
  const { graph } = await compile(demoPipeline.yaml);
  const moved = await compile(`# a comment\n${demoPipeline.yaml}`);
  if (graph === undefined || moved.graph === undefined) throw new Error("no graph");
  expect(compareGraphs(graph, moved.graph)).toEqual([]);
  const changed = await compile(demoPipeline.yaml.replace("0.05", "0.1"));
  expect(changed.graph && compareGraphs(graph, changed.graph)).toEqual([
    { key: "web_server", kind: "changed" },
  ]);
});
