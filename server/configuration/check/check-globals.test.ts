import { describe, expect, test } from "vitest";
import { loadVrl } from "#vrl/vrl.ts";
import { applyEdits } from "#common/apply-edits.ts";
import { compilePipeline } from "../compile.ts";
import type { Problem } from "../graph.ts";

const context = { secretNames: new Set(["s"]), certificateNames: new Set<string>() };

const pipeline = (globals: string, sink = ""): string => `sources:
  in: {type: demo_logs, format: json}
transforms:
  t: {type: remap, inputs: [in], source: .a = 1}
sinks:
  out: {type: blackhole, inputs: [t]${sink}}
${globals}
`;
const problemsOf = (text: string): readonly Problem[] =>
  compilePipeline(text, context, loadVrl).problems;
const saidOf = (text: string): readonly string[] =>
  problemsOf(text).map(({ severity, field, message }) => `${severity} ${field}: ${message}`);

describe("top-level options", () => {
  test.each([
    ["timezone: 5", "timezone: timezone must be a text"],
    [
      "wildcard_matching: relaxd",
      "wildcard_matching: wildcard_matching must be one of strict, relaxed",
    ],
    ["healthchecks: {enabled: maybe}", "healthchecks.enabled: enabled must be true or false"],
    ["proxy: {htp: x}", "proxy.htp: unknown option htp; did you mean http?"],
    ["expire_metrics: 5", "expire_metrics: expire_metrics must be a map of options"],
    ["foo: 1", "foo: unknown top-level option foo"],
    ["data_dir: /x", "data_dir: the option data_dir is set by VectorFlow on each host: remove it"],
    [
      "expire_metrics_secs: 'SECRET[s]'",
      "expire_metrics_secs: expire_metrics_secs must be a number: write the secret without quotes, on a line of its own",
    ],
    ["enrichment_tables: [a]", "enrichment_tables: enrichment_tables must be a map of options"],
    ["enrichment_tables: {t: a}", "enrichment_tables.t: t must be a map of options"],
    [
      "enrichment_tables: {t: {type: fil}}",
      "enrichment_tables.t.type: type must be one of file, memory, geoip, mmdb",
    ],
    [
      "enrichment_tables: {t: {type: mmdb}}",
      "enrichment_tables.t.path: the option path is required",
    ],
    ["tests: {a: 1}", "tests: tests must be a list"],
    ["tests: [a]", "tests.0: an item of tests must be a map of options"],
    ["tests: [{inputs: []}]", "tests.0.name: the option name is required"],
    [
      "tests: [{name: a, outputs: [{extract_from: t}], output: []}]",
      "tests.0.output: unknown option output",
    ],
    [
      "tests: [{name: a, outputs: [{conditions: []}]}]",
      "tests.0.outputs.0.extract_from: the option extract_from is required",
    ],
  ])("%s", (globals, expected) => {
    expect(saidOf(pipeline(globals))).toEqual([`error ${expected}`]);
  });

  test.each([
    "timezone: local",
    "acknowledgements: true",
    "acknowledgements: {enabled: true}",
    "expire_metrics: {secs: 5, nanos: 0}",
    "expire_metrics_secs: SECRET[s]",
    "proxy: {no_proxy: 'a,b'}",
    "enrichment_tables: {t: {type: file, file: {path: /a, encoding: {type: csv}}, schema: {a: string}}}",
    "enrichment_tables: {m: {type: memory, ttl: 5, inputs: [t], log_namespace: true}}",
    "tests: [{name: a, input: {insert_at: t, value: a}, outputs: [{extract_from: [t], conditions: ['true']}]}]",
    "tests: [{name: a, inputs: [{insert_at: t, type: log, log_fields: {a: 1}}], no_outputs_from: [t]}]",
  ])("that are right: %s", (globals) => {
    expect(saidOf(pipeline(globals))).toEqual([]);
  });

  test("have what may have been meant as a fix", () => {
    const text = pipeline("proxy: {htp: 'http://a'}");
    const [problem] = problemsOf(text);
    expect(applyEdits(text, problem?.fixes?.[0]?.edits ?? [])).toBe(text.replace("htp", "http"));
  });
});

describe("a buffer", () => {
  test.each([
    [
      "{type: disk, max_size: 100}",
      "buffer.max_size: max_size must be at least 268435488 bytes for a buffer on disk",
    ],
    [
      "{type: disk, max_size: 268435488, max_events: 5}",
      "buffer.max_events: max_events is refused unless type is memory",
    ],
    [
      "{max_size: 5000, max_events: 5}",
      "buffer.max_events: only one of max_events and max_size may be there",
    ],
    [
      "[{type: disk, max_size: 268435488, when_full: overflow}]",
      "buffer.0.when_full: when_full cannot be overflow here: nothing comes behind this buffer",
    ],
  ])("%s", (buffer, expected) => {
    expect(saidOf(pipeline("", `, buffer: ${buffer}`))).toEqual([`error ${expected}`]);
  });

  test.each([
    "{type: disk, max_size: 268435488}",
    "{max_size: 100}",
    "[{when_full: overflow}, {type: disk, max_size: 268435488}]",
  ])("that is right: %s", (buffer) => {
    expect(saidOf(pipeline("", `, buffer: ${buffer}`))).toEqual([]);
  });
});
