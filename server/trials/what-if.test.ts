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

function tried(samples: Readonly<Record<string, readonly string[]>>) {
  const { graph } = parsePipelineText(pipeline);
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

test("leaves events out of an answer that would become too large, and says how many", () => {
  const large = JSON.stringify({ level: "info", size: "1", text: "x".repeat(200_000), timestamp });
  const { drop_debug: trial } = tried({ in: Array.from({ length: 20 }, () => large) });
  expect(trial?.events.length).toBe(10);
  expect(trial?.omitted).toBe(10);
});
