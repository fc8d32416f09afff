import { expect, test } from "vitest";
import { loadVrl } from "#vrl/vrl.ts";
import { loadCatalogue } from "../configuration/catalogue.ts";
import { parsePipelineText } from "../configuration/graph.ts";
import { tryOnSample } from "./what-if.ts";

const pipeline = `
sources:
  in: {type: demo_logs, format: json}
  numbers: {type: internal_metrics}
transforms:
  drop_debug: {type: filter, inputs: [in], condition: '.level != "debug"'}
  add:
    type: remap
    inputs: [drop_debug]
    source: |
      .size = to_int!(.size)
      .day = format_timestamp!(.timestamp, "%F")
  script: {type: lua, inputs: [add], version: "2", hooks: {process: "f"}}
  after: {type: remap, inputs: [script], source: del(.a)}
  tag: {type: remap, inputs: [numbers], source: '.tags.a = "b"'}
sinks:
  out: {type: blackhole, inputs: [after, tag]}
`;

const textOf = (program: string, options = "drop_on_error: false"): string => `
sources: {in: {type: demo_logs, format: json}}
transforms: {t: {type: remap, inputs: [in], ${options}, source: ${JSON.stringify(program)}}}
sinks: {out: {type: blackhole, inputs: [t]}}
`;

function tried(samples: Readonly<Record<string, readonly string[]>>, text = pipeline) {
  const { graph } = parsePipelineText(text);
  if (graph === undefined) throw new Error("no graph");
  const trials = tryOnSample(graph, loadCatalogue(), loadVrl(), new Map(Object.entries(samples)));
  return Object.fromEntries(trials.map((trial) => [trial.componentKey, trial]));
}

const timestamp = "2026-01-02T03:04:05Z";
const events = [
  { level: "info", size: "7", timestamp },
  { level: "debug", size: "1", timestamp },
  { level: "info", size: "many", timestamp },
].map((event) => JSON.stringify(event));

test("says of each event what each transform does with it", () => {
  const { drop_debug: dropDebug, add } = tried({ in: events });
  expect(dropDebug?.events.map(({ verdict }) => verdict)).toEqual([
    "unchanged",
    "dropped",
    "unchanged",
  ]);
  expect(add?.events).toMatchObject([
    {
      verdict: "modified",
      before: events[0],
      after: [
        {
          output: "",
          json: JSON.stringify({ day: "2026-01-02", level: "info", size: 7, timestamp }),
        },
      ],
    },
    { verdict: "error", after: [{ json: events[2] }], error: expect.stringContaining("to_int") },
  ]);
});

test("goes on behind a transform that runs only in Vector with what was sampled of that", () => {
  const without = tried({ in: events });
  expect(without["script"]).toMatchObject({ unknown: expect.stringContaining("lua"), events: [] });
  expect(without["after"]).toMatchObject({
    unknown: expect.stringContaining("script"),
    events: [],
  });
  const { after } = tried({ in: events, script: [`{"a":1,"b":2}`] });
  expect(after?.events).toMatchObject([{ verdict: "modified", after: [{ json: `{"b":2}` }] }]);
});

test("tells what it has no events for, and that metrics cannot be tried", () => {
  const metric = JSON.stringify({ name: "n", kind: "absolute", counter: { value: 1 } });
  const { tag, add } = tried({ numbers: [metric] });
  expect(tag?.unknown).toContain("only logs");
  expect(add?.unknown).toContain("no events of it were sampled");
});

test("keeps 1.0 apart from 1, and integers that a double does not hold", () => {
  const event = `{"big":9007199254740993,"half":2.50,"one":1,"v":1.0}`;
  const { t } = tried({ in: [event] }, textOf(".v = float!(.v) / 2 * 10\n.one = int!(.one)"));
  expect(t?.events).toEqual([
    {
      verdict: "modified",
      before: `{"big":9007199254740993,"half":2.5,"one":1,"v":1.0}`,
      after: [{ output: "", json: `{"big":9007199254740993,"half":2.5,"one":1,"v":5.0}` }],
      error: "",
    },
  ]);
});

test("a field that is named like a form of a value is a field", () => {
  const event = `{"a":{"$date":"2026-01-02T03:04:05Z"}}`;
  const { t } = tried({ in: [event] }, textOf('.a."$date" = upcase(string!(.a."$date"))'));
  expect(t?.events).toMatchObject([{ verdict: "unchanged", before: event }]);
});

test.each([
  ["fails", 'assert!(false, "no")', "drop_on_error: true", "assert"],
  ["gives it up", "abort", "drop_on_abort: true", ""],
])(
  "an event whose program %s is dropped, and shown where it goes",
  (_name, program, drop, error) => {
    const rerouted = tried({ in: [`{"a":1}`] }, textOf(program, `${drop}, reroute_dropped: true`));
    expect(rerouted["t"]?.events).toMatchObject([
      {
        verdict: "dropped",
        after: [{ output: "dropped", json: expect.stringContaining("component_kind") }],
        error: expect.stringContaining(error),
      },
    ]);
    const gone = tried({ in: [`{"a":1}`] }, textOf(program, drop));
    expect(gone["t"]?.events).toMatchObject([{ verdict: "dropped", after: [] }]);
  },
);

const named = `
sources:
  dd: {type: datadog_agent, address: "127.0.0.1:80", multiple_outputs: true}
  otel: {type: opentelemetry, use_otlp_decoding: {metrics: true}}
transforms:
  logs: {type: remap, inputs: [dd.logs], source: .b = 2}
  metrics: {type: remap, inputs: [dd.metrics], source: .tags.b = "2"}
  traces: {type: remap, inputs: [dd.traces], source: .b = 2}
  otel_logs: {type: remap, inputs: [otel.logs], source: .b = 2}
  otel_metrics: {type: remap, inputs: [otel.metrics], source: .b = 2}
  otel_traces: {type: remap, inputs: [otel.traces], source: .b = 2}
  part: {type: route, inputs: [dd.logs], route: {a: {type: datadog_search, source: "*"}, b: "true"}}
  a: {type: remap, inputs: [part.a], source: .b = 2}
  b: {type: remap, inputs: [part.b], source: .b = 2}
sinks:
  out: {type: blackhole, inputs: [logs, metrics, traces, "otel_*", a, b]}
`;
const samples = {
  dd: [
    `{"message":"a","ddsource":"x"}`,
    `{"name":"n","kind":"incremental","counter":{"value":1.0}}`,
    `{"payload_version":"v2","spans":[]}`,
  ],
  otel: [`{"message":"a"}`, `{"resourceMetrics":[]}`, `{"start_time_unix_nano":"x"}`],
};

test.each([
  ["logs", ["modified"], ""],
  ["metrics", [], "only logs"],
  ["traces", [], "only logs"],
  ["otel_logs", ["modified"], ""],
  ["otel_metrics", ["modified"], ""],
  ["otel_traces", [], "only logs"],
])("only events of its kind leave a source by a named output: %s", (key, seen, unknown) => {
  const trial = tried(samples, named)[key];
  expect(trial?.events.map(({ verdict }) => verdict)).toEqual(seen);
  expect(trial?.unknown).toContain(unknown);
});

test("an output whose kind was not sampled emits nothing", () => {
  const { metrics } = tried({ dd: [`{"message":"a"}`] }, named);
  expect(metrics).toMatchObject({ unknown: "", events: [] });
});

test("what was sampled of one output goes on from there, and not by the others", () => {
  const { a, b } = tried({ ...samples, "part.a": [`{"c":1}`], part: [`{"c":1}`] }, named);
  expect(a?.events).toMatchObject([{ before: `{"c":1}` }]);
  expect(b?.unknown).toContain("datadog_search");
});

test("a time zone is that of the transform, or of all", () => {
  const program = '.at = parse_timestamp!(.at, "%F %T")';
  const at = (text: string) =>
    tried({ in: [`{"at":"2026-01-02 00:00:00"}`] }, text)["t"]?.events[0]?.after[0]?.json;
  const global = `timezone: America/New_York\n${textOf(program)}`;
  expect(at(textOf(program))).toContain("2026-01-02T00:00:00Z");
  expect(at(global)).toContain("2026-01-02T05:00:00Z");
  expect(at(textOf(program, "timezone: Asia/Tokyo"))).toContain("2026-01-01T15:00:00Z");
  const secret = tried({ in: ["{}"] }, textOf(program, 'timezone: "SECRET[zone]"'));
  expect(secret["t"]?.unknown).toContain("only hosts");
});

test("leaves events out of an answer that would become too large, and says how many", () => {
  const large = JSON.stringify({ level: "info", size: "1", text: "x".repeat(200_000), timestamp });
  const { drop_debug: trial } = tried({ in: Array.from({ length: 20 }, () => large) });
  expect(trial?.events.length).toBe(10);
  expect(trial?.omitted).toBe(10);
});
