import { describe, expect, test } from "vitest";
import { importConfig } from "./import-config.ts";

function imported(text: string, path = "a.yaml") {
  return importConfig([{ path, content: Buffer.from(text) }]);
}

const written = `# what the edge runs
sources:
  app-logs: # of the apps
    type: demo_logs
    format: json
  "app-traces": {type: demo_logs, format: json}
  other: {type: internal_metrics}
transforms:
  1st: {type: remap, inputs: ['app-logs'], source: '.a-b = "app-logs"'}
  by-level:
    type: route
    inputs:
      - 'app-*' # all of them
    route: {bad-ones: '.level == "error"'}
enrichment_tables:
  seen: {type: memory, inputs: [1st], source_config: {source_key: seen-before}}
sinks:
  out: {type: blackhole, inputs: [by-level.bad-ones, by-level._unmatched, "*-before", "[!x]pp-traces"]}
tests:
  - name: app-logs
    inputs: [{insert_at: by-level, value: app-logs}]
    outputs: [{extract_from: by-level.bad-ones}, {extract_from: [by-level._unmatched]}]
    no_outputs_from: [1st]
`;

test("names that Vector takes become names that a pipeline takes, wherever they stand", () => {
  const { yaml, notices, problems } = imported(written);
  expect(problems).toEqual([]);
  expect(yaml).toBe(`# what the edge runs
sources:
  app_logs: # of the apps
    type: demo_logs
    format: json
  "app_traces": {type: demo_logs, format: json}
  other: {type: internal_metrics}
transforms:
  _1st: {type: remap, inputs: ['app_logs'], source: '.a-b = "app-logs"'}
  by_level:
    type: route
    inputs:
      - 'app_*' # all of them
    route: {bad-ones: '.level == "error"'}
enrichment_tables:
  seen: {type: memory, inputs: [_1st], source_config: {source_key: seen-before}}
sinks:
  out: {type: blackhole, inputs: [by_level.bad-ones, by_level._unmatched, "*-before", "[!x]pp_traces"]}
tests:
  - name: app-logs
    inputs: [{insert_at: by_level, value: app-logs}]
    outputs: [{extract_from: by_level.bad-ones}, {extract_from: [by_level._unmatched]}]
    no_outputs_from: [_1st]
`);
  expect(notices.map(({ message }) => message).join()).toContain(
    "app-logs is app_logs now, app-traces is app_traces now, 1st is _1st now, by-level is by_level now",
  );
  expect(imported(yaml)).toMatchObject({ yaml, notices: [] });
});

test("a name that is taken gets a number, and a long one stays as long as names may be", () => {
  const long = "x-".repeat(100);
  const { yaml, problems } = imported(`sources:
  a_b: {type: demo_logs}
  a-b: {type: demo_logs}
  a b: {type: demo_logs}
  ${long}: {type: demo_logs}
sinks:
  out: {type: blackhole, inputs: [a_b, a-b, a b, ${long}]}
`);
  expect(problems).toEqual([]);
  expect(yaml).toContain(`inputs: [a_b, a_b_2, a_b_3, ${"x_".repeat(64)}]`);
});

test("TOML and JSON are carried over too", () => {
  const toml = `[sources.app-logs]\ntype = "stdin"\n[sinks.out]\ntype = "blackhole"\ninputs = ["app-*"]\n`;
  expect(imported(toml, "a.toml").yaml).toBe(
    `sources:\n  app_logs:\n    type: stdin\nsinks:\n  out:\n    type: blackhole\n    inputs:\n      - app_*\n`,
  );
});

describe("what cannot be carried over is refused, and nothing of it is used", () => {
  test.each([
    [
      "a pattern would take in another component",
      `sources:
  app-a: {type: demo_logs}
  app_b: {type: demo_logs}
sinks:
  out: {type: blackhole, inputs: ["app-*"]}
`,
      "the pattern app-* would take in others",
    ],
    [
      "a name is another value too",
      `sources:
  app-a: {type: demo_logs}
sinks:
  out: {type: http, inputs: [&name app-a], uri: "http://x", request: {headers: {app: *name}}}
`,
      "under anchors",
    ],
  ])("%s", (_what, text, expected) => {
    const { yaml, problems } = imported(text);
    expect(yaml).toBe("");
    expect(problems.map(({ message }) => message).join()).toContain(expected);
  });
});
