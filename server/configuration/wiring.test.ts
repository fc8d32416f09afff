import { describe, expect, test } from "vitest";
import { applyEdits } from "#common/apply-edits.ts";
import { loadVrl } from "#vrl/vrl.ts";
import { compilePipeline, type CompiledPipeline } from "./compile.ts";

const context = { secretNames: new Set<string>(), certificateNames: new Set<string>() };
const compile = (text: string): CompiledPipeline => compilePipeline(text, context, loadVrl);
const outputs = (text: string, key: string): Record<string, string> =>
  Object.fromEntries(
    (compile(text).components.find((component) => component.key === key)?.outputs ?? []).map(
      ({ name, types }) => [name ?? "", types.join(" ")],
    ),
  );
const source = (body: string): string => `sources:\n  in: ${body}\n`;
const transform = (body: string, sources = "in: {type: demo_logs, format: json}"): string =>
  `sources:\n  ${sources}\ntransforms:\n  t: ${body}\n`;

describe("outputs", () => {
  test.each([
    [
      "route: its routes and the rest",
      transform("{type: route, inputs: [in], route: {a: 'true', b.c: 'true'}}"),
      { a: "log", "b.c": "log", _unmatched: "log" },
    ],
    [
      "route without the rest",
      transform("{type: route, inputs: [in], reroute_unmatched: false, route: {a: 'true'}}"),
      { a: "log" },
    ],
    [
      "exclusive_route",
      transform("{type: exclusive_route, inputs: [in], routes: [{name: a, condition: 'true'}]}"),
      { a: "log", _unmatched: "log" },
    ],
    ["remap", transform("{type: remap, inputs: [in], source: .a = 1}"), { "": "log" }],
    [
      "remap that reroutes what it drops",
      transform("{type: remap, inputs: [in], source: .a = 1, reroute_dropped: true}"),
      { "": "log", dropped: "log" },
    ],
    ["a transform of another type", transform("{type: metric_to_log, inputs: [in]}"), { "": "" }],
    [
      "log_to_metric",
      transform("{type: log_to_metric, inputs: [in], metrics: [{type: counter, field: a}]}"),
      { "": "metric" },
    ],
    [
      "lua, which makes what it likes",
      transform("{type: lua, inputs: [in], version: '2', hooks: {process: f}}"),
      { "": "log metric" },
    ],
  ])("of %s", (_name, text, expected) => {
    expect(outputs(text, "t")).toEqual(expected);
  });

  test.each([
    ["one for all", "{type: datadog_agent, address: 'a:1'}", { "": "log metric trace" }],
    [
      "one for each signal",
      "{type: datadog_agent, address: 'a:1', multiple_outputs: true, disable_traces: true}",
      { logs: "log", metrics: "metric" },
    ],
    ["opentelemetry", "{type: opentelemetry}", { logs: "log", metrics: "metric", traces: "trace" }],
    [
      "opentelemetry that leaves metrics in their shape",
      "{type: opentelemetry, use_otlp_decoding: {metrics: true}}",
      { logs: "log", metrics: "log", traces: "trace" },
    ],
    [
      "a source that decodes",
      "{type: stdin, decoding: {codec: native}}",
      { "": "log metric trace" },
    ],
    ["a source that does not", "{type: stdin}", { "": "log" }],
    [
      "a source with two decoders",
      "{type: splunk_hec, raw: {decoding: {codec: native}}}",
      { "": "log metric trace" },
    ],
  ])("of sources: %s", (_name, body, expected) => {
    expect(outputs(source(body), "in")).toEqual(expected);
  });

  test("of tables in memory can be read", () => {
    const text =
      "enrichment_tables:\n  cache: {type: memory, inputs: [in], source_config: {source_key: seen, export_expired_items: true}}\n" +
      `${source("{type: demo_logs, format: json}")}sinks:\n  out: {type: blackhole, inputs: [seen, seen.expired]}\n`;
    expect(compile(text).problems).toEqual([]);
  });
});

test("edges carry the output", () => {
  const text = `${transform("{type: route, inputs: [in], route: {a: 'true'}}")}sinks:\n  out: {type: blackhole, inputs: ["t.*"]}\n`;
  const { components } = compile(text);
  expect(components.at(-1)?.edges).toEqual([
    { from: "t", output: "a", id: "t.a" },
    { from: "t", output: "_unmatched", id: "t._unmatched" },
  ]);
});

test.each([
  ["{type: route, inputs: [in], route: {a: 'true', b: 'true'}}", "[t.a]", ["t.b"]],
  ["{type: route, inputs: [in], route: {a: 'true'}}", "['t.*']", []],
  ["{type: route, inputs: [in], route: {a: 'true'}}", "[t._unmatched]", ["t.a"]],
  ["{type: remap, inputs: [in], source: .a = 1, reroute_dropped: true}", "[t]", ["t.dropped"]],
  ["{type: filter, inputs: [in], condition: 'true'}", "[t]", []],
])("outputs that nothing reads are told: %s, read by %s", (body, inputs, expected) => {
  const { problems } = compile(
    `${transform(body)}sinks:\n  out: {type: blackhole, inputs: ${inputs}}\n`,
  );
  expect(problems.map(({ message }) => /^nothing reads (\S+):/.exec(message)?.[1])).toEqual(
    expected,
  );
});

test("patterns that match too much are refused instead of filling the memory", () => {
  const many = Array.from({ length: 1000 }, (_, at) => `  s${at}: {type: stdin}\n`).join("");
  const sinks = Array.from(
    { length: 1000 },
    (_, at) => `  k${at}: {type: blackhole, inputs: ["*"]}\n`,
  ).join("");
  const { problems, configYaml } = compile(`sources:\n${many}sinks:\n${sinks}`);
  expect(problems.map(({ message }) => message)).toContain(
    "the patterns in inputs match too many outputs: name fewer",
  );
  expect(configYaml).toBeUndefined();
});

describe("types of events", () => {
  const chain = (steps: readonly string[], first = "{type: demo_logs, format: json}"): string =>
    `sources:\n  in: ${first}\ntransforms:\n${steps
      .map(
        (step, index) =>
          `  t${index}: {inputs: [${index === 0 ? "in" : `t${index - 1}`}], ${step}}\n`,
      )
      .join(
        "",
      )}sinks:\n  out: {type: statsd, mode: udp, address: 'a:1', inputs: [t${steps.length - 1}]}\n`;
  const remap = "type: remap, source: .a = 1";
  const toMetric = "type: log_to_metric, metrics: [{type: counter, field: a}]";
  const wrong = (text: string): readonly string[] =>
    compile(text)
      .problems.filter(({ message }) => / takes .* events/.test(message))
      .map(({ componentKey, message }) => `${componentKey}: ${message}`);

  test.each([
    ["remap", [remap]],
    ["several that pass on", [remap, "type: sample, rate: 2", "type: filter, condition: 'true'"]],
    ["reduce", ["type: reduce"]],
    ["metrics that became logs again", [toMetric, "type: metric_to_log", remap]],
  ])("reach a sink for metrics as logs through %s", (_name, steps) => {
    expect(wrong(chain(steps))).toEqual([
      `out: out takes metric events, but t${steps.length - 1} emits log`,
    ]);
  });

  test.each([
    ["log_to_metric", [toMetric, "type: aggregate", remap]],
    ["lua", ["type: lua, version: '2', hooks: {process: f}", remap]],
  ])("are metrics behind %s", (_name, steps) => {
    expect(wrong(chain(steps))).toEqual([]);
  });

  test("are told where the first one is wrong, and only there", () => {
    expect(wrong(chain(["type: aggregate", remap]))).toEqual([
      "t0: t0 takes metric events, but in emits log",
    ]);
  });

  test("are those of one output", () => {
    const text =
      "sources:\n  in: {type: opentelemetry}\nsinks:\n  out: {type: statsd, mode: udp, address: 'a:1', inputs: [in.metrics, in.logs, in.traces]}\n";
    expect(wrong(text)).toEqual([
      "out: out takes metric events, but in.logs emits log",
      "out: out takes metric events, but in.traces emits trace",
    ]);
  });
});

describe("fixes", () => {
  const routed = (inputs: string): string => `sources:
  in: {type: demo_logs, format: json}
transforms:
  split:
    type: route
    inputs: [in]
    route: {errors: 'true', rest: 'true'}
sinks:
  all: {type: blackhole, inputs: ["split.*"]}
  out:
    type: blackhole
    inputs: ${inputs}
`;
  const fixed = (text: string, title: RegExp): string | undefined => {
    const fixes = compile(text).problems.flatMap((problem) => problem.fixes ?? []);
    const fix = fixes.find((candidate) => title.test(candidate.title));
    return fix && applyEdits(text, fix.edits);
  };

  test.each([
    ["[split.error] # note", /Read split.errors/, "[split.errors] # note"],
    ["['split.error', in]", /Read split.errors/, "['split.errors', in]"],
    ['["split"]', /Read split._unmatched/, '["split._unmatched"]'],
    ["split.error", /Read split.errors/, "split.errors"],
    ["[split.gone, in]", /Remove this/, "[in]"],
    ["[in, split.gone]", /Remove this/, "[in]"],
    ["[split.gone]", /Remove this/, "[]"],
    ["\n      - in # first\n      - split.gone # second", /Remove this/, "\n      - in # first"],
    ["\n      - split.gone", /Remove this/, "[]"],
    ["\n      - im\n      - split.rest", /Read in instead/, "\n      - in\n      - split.rest"],
    ["[in, in]", /Remove the second/, "[in]"],
  ])("of inputs %s: %s", (before, title, after) => {
    expect(fixed(routed(before), title)).toBe(routed(after));
  });

  test.each([
    ["a type", "type: blackhoel", "type: blackhole", /Make it blackhole/],
    [
      "an option",
      'type: blackhole\n    "print_interval_sec": 1',
      'type: blackhole\n    "print_interval_secs": 1',
      /Rename it/,
    ],
    [
      "a value",
      "type: console\n    encoding: {codec: josn}",
      "type: console\n    encoding: {codec: json}",
      /Make it json/,
    ],
  ])("of what is close to a known word: %s", (_name, before, after, title) => {
    const text = (body: string): string => routed("[in]").replace("type: blackhole\n", `${body}\n`);
    expect(fixed(text(before), title)).toBe(text(after));
    expect(compile(text(after)).problems.filter(({ severity }) => severity === "error")).toEqual(
      [],
    );
  });

  test("are none where the name comes from elsewhere", () => {
    const text = routed("*one").replace("inputs: [in]", "inputs: &one [im]");
    const problem = compile(text).problems.find(({ componentKey }) => componentKey === "out");
    expect(problem?.message).toMatch(/im does not exist/);
    expect(problem?.fixes).toBeUndefined();
  });
});
