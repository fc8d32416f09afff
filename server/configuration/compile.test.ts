import { describe, expect, test } from "vitest";
import { applyEdits } from "#common/apply-edits.ts";
import { loadVrl } from "#vrl/vrl.ts";
import { compilePipeline, type CompiledPipeline } from "./compile.ts";
import { demoPipeline } from "../pipelines/demo.ts";
import { loadCatalogue } from "./catalogue.ts";
import { compareConfigs } from "./changes.ts";

const context = { secretNames: new Set(["known"]), certificateNames: new Set<string>() };
const compile = (text: string): CompiledPipeline => compilePipeline(text, context, loadVrl);

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
      "one right behind a letter",
      base(
        "    {type: http, inputs: [in], uri: 'http://xSECRET[nope]', encoding: {codec: json}}\n",
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
  ])("refuses %s and says where", (_name, text, key, message) => {
    const { problems, configYaml } = compile(text);
    const found = problems.find((problem) => message.test(problem.message));
    expect(problems.map((problem) => problem.message).join("\n")).toMatch(message);
    expect(found?.componentKey).toBe(key);
    expect(configYaml).toBeUndefined();
  });

  test("renders the same bytes for the same text, and the result compiles to itself (S16)", () => {
    const first = compile(demoPipeline.yaml);
    expect(first.problems).toEqual([]);
    const second = compile(first.configYaml ?? "");
    expect(second.configYaml).toBe(first.configYaml);
  });

  test("keeps comments and unknown layout of a component in what it deploys", () => {
    const { configYaml } = compile(demoPipeline.yaml);
    expect(configYaml).toContain("# Drop half of the events");
  });

  test("expands wildcards against the person's own components only", () => {
    const { configYaml } = compile(base('    {type: blackhole, inputs: ["*"]}\n'));
    expect(configYaml).toMatch(/inputs: *\n? *\[? *-? ?in/);
    expect(configYaml).not.toContain("*");
  });
});

test("moving and commenting mark nothing as changed (S18)", () => {
  const { graph } = compile(demoPipeline.yaml);
  const moved = compile(`# a comment\n${demoPipeline.yaml}`);
  if (graph === undefined || moved.graph === undefined) throw new Error("no graph");
  const same = { components: [], options: [], effect: "nothing" };
  expect(compareConfigs(graph, moved.graph, loadCatalogue())).toEqual(same);
  const changed = compile(demoPipeline.yaml.replace("0.05", "0.1"));
  expect(changed.graph && compareConfigs(graph, changed.graph, loadCatalogue())).toMatchObject({
    components: [{ key: "web_server", kind: "changed" }],
    effect: "reload",
  });
});

describe("what the renderer and the agent own", () => {
  const sink = "    {type: blackhole, inputs: [in]}\n";
  test.each([
    ["data_dir", `data_dir: /tmp\n${base(sink)}`],
    ["api", `api: {enabled: true, address: "0.0.0.0:8686"}\n${base(sink)}`],
    ["secret", `secret: {vault: {type: exec, command: [sh]}}\n${base(sink)}`],
    ["provider", `provider: {type: http, url: "http://example.com"}\n${base(sink)}`],
    ["a merged data_dir", `<<: {data_dir: /tmp}\n${base(sink)}`],
    ["an injected id", base(sink).replace("in:", "__vectorflow_metrics:")],
    ["an input from an injected id", base(sink.replace("[in]", "[in, __vectorflow_metrics]"))],
    ["a second type", base("    type: blackhole\n    type: console\n    inputs: [in]\n")],
    ["a second component of the name", base(sink, "  in: {type: stdin}\n")],
    ["a second section", `${base(sink)}sources:\n  other: {type: stdin}\n`],
    ["a type that is no text", base("    {type: [blackhole], inputs: [in]}\n")],
    ["inputs that are no texts", base("    {type: blackhole, inputs: [{in: 1}]}\n")],
  ])("cannot be replaced by options: %s (S17)", (_name, text) => {
    const { problems, configYaml } = compile(text);
    expect(problems.filter(({ severity }) => severity === "error")).not.toEqual([]);
    expect(configYaml).toBeUndefined();
  });

  test("is what a merged body says in the end, in the graph and in the configuration alike (S17)", () => {
    const { graph, configYaml, problems } = compile(
      base("    <<: {type: console, inputs: [nowhere]}\n    type: blackhole\n    inputs: [in]\n"),
    );
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(graph?.components.at(-1)).toMatchObject({ type: "blackhole", inputs: ["in"] });
    const again = compile(configYaml ?? "");
    expect(again.graph?.components.at(-1)).toMatchObject({ type: "blackhole", inputs: ["in"] });
  });
});

test("inputs that are no list are an error, as Vector has it, with a fix", () => {
  const text = base("    {type: blackhole, inputs: 'in'}\n");
  const { problems } = compile(text);
  const [problem] = problems.filter(({ severity }) => severity === "error");
  expect(problem).toMatchObject({ field: "inputs", message: expect.stringMatching(/a list/) });
  const [fix] = problem?.fixes ?? [];
  const { problems: left } = compile(applyEdits(text, fix?.edits ?? []));
  expect(left.filter(({ severity }) => severity === "error")).toEqual([]);
});

test("aliases between components are unfolded, so that each component stands by itself (S16)", () => {
  const text = base(
    "    &one\n    type: http\n    inputs: [in]\n    uri: http://example.com\n    encoding: &json {codec: json}\n" +
      "  two: {<<: *one, uri: http://example.org}\n  three: {type: console, inputs: [in], encoding: *json}\n",
  );
  const { graph, problems, configYaml } = compile(text);
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(configYaml).not.toMatch(/[*]/);
  const again = compile(configYaml ?? "");
  expect(again.configYaml).toBe(configYaml);
  expect(again.graph && graph && compareConfigs(graph, again.graph, loadCatalogue())).toEqual({
    components: [],
    options: [],
    effect: "nothing",
  });
  expect(
    again.graph?.components.map(({ key, config }) => [key, config["encoding"], config["uri"]]),
  ).toEqual([
    ["in", undefined, undefined],
    ["out", { codec: "json" }, "http://example.com"],
    ["two", { codec: "json" }, "http://example.org"],
    ["three", { codec: "json" }, undefined],
  ]);
});
