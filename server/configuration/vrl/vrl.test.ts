import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadVrl } from "#vrl/vrl.ts";
import { compilePipeline } from "../compile.ts";
import type { Problem } from "../graph.ts";

const context = { secretNames: new Set(["port", "key"]), certificateNames: new Set<string>() };
const problemsOf = (text: string): readonly Problem[] =>
  compilePipeline(text, context, loadVrl).problems.filter(({ message }) =>
    /VRL|boolean/.test(message),
  );

const pipeline = (
  transform: string,
  sources = "in: {type: demo_logs, format: json}",
): string => `sources:
  ${sources}
transforms:
  t:
${transform.replaceAll(/^/gm, "    ")}
sinks:
  out: {type: blackhole, inputs: ["t*"]}
`;
const remap = (source: string, inputs = "[in]"): string =>
  `type: remap\ninputs: ${inputs}\nsource: |\n${source.replaceAll(/^/gm, "  ")}`;

describe("problems of programs", () => {
  test("stand at their place in the text, behind letters of several bytes", () => {
    const text = pipeline(remap('."ключ" = "😀" # é\n\n.größer = 1\n'));
    const [problem] = problemsOf(text);
    expect(problem).toMatchObject({ severity: "error", componentKey: "t", field: "source" });
    expect(text.slice(problem?.span?.from, (problem?.span?.from ?? 0) + 4)).toBe("ößer");
  });

  test("are none where the event of a unit test gets all of its metadata, as no transform may", () => {
    const program = '% = "all"';
    const tests = `tests: [{name: a, inputs: [{insert_at: t, type: vrl, source: '${program}'}], no_outputs_from: [t]}]\n`;
    expect(problemsOf(`${pipeline(remap(".a = 1"))}${tests}`)).toEqual([]);
    expect(problemsOf(pipeline(remap(program)))).toMatchObject([
      { message: expect.stringContaining("VRL error 315") },
    ]);
  });

  test("are all told, warnings too", () => {
    const text = pipeline(remap(".a = upcase(.b)\n.c = no_such()\n"));
    expect(problemsOf(text).map(({ message }) => message)).toEqual([
      expect.stringMatching(/^VRL error 103: unhandled fallible assignment/),
      expect.stringMatching(/^VRL error 105: call to undefined function/),
    ]);
    const [warning] = problemsOf(pipeline(remap('"unused"\n.a = 1')));
    expect(warning).toMatchObject({
      severity: "warning",
      message: expect.stringMatching(/900/) as string,
    });
    const { configYaml } = compilePipeline(pipeline(remap('"unused"\n.a = 1')), context, loadVrl);
    expect(configYaml).toBeDefined();
  });

  test.each([
    ["filter", "type: filter\ninputs: [in]\ncondition: .a", "condition"],
    [
      "filter, as an object",
      "type: filter\ninputs: [in]\ncondition: {type: vrl, source: .a}",
      "condition.source",
    ],
    ["route", "type: route\ninputs: [in]\nroute: {one: .a}", "route.one"],
    [
      "exclusive_route",
      "type: exclusive_route\ninputs: [in]\nroutes: [{name: one, condition: .a}]",
      "routes.0.condition",
    ],
    ["sample", "type: sample\ninputs: [in]\nrate: 2\nexclude: .a", "exclude"],
    ["reduce", "type: reduce\ninputs: [in]\nends_when: .a", "ends_when"],
    [
      "throttle",
      "type: throttle\ninputs: [in]\nthreshold: 1\nwindow_secs: 1\nexclude: .a",
      "exclude",
    ],
  ])("say that a condition must be boolean: %s", (_name, transform, field) => {
    const text = pipeline(transform);
    const [problem] = problemsOf(text);
    expect(problem).toMatchObject({ field, message: "VRL conditions must return a boolean." });
    expect(text.slice(problem?.span?.from, problem?.span?.to)).toBe(".a");
    expect(problemsOf(text.replace(/(: ?)\.a/, "$1exists(.a)"))).toEqual([]);
  });

  test.each([
    ["a decoder", "decoding: {codec: vrl, vrl: {source: SOURCE}}", "decoding.vrl.source"],
    ["who may send", "auth: {strategy: custom, source: SOURCE}", "auth.source"],
  ])("are told of the programs of sources: %s", (_name, option, field) => {
    const text = (source: string): string =>
      pipeline(
        "type: filter\ninputs: [in]\ncondition: 'true'",
        `in: {type: http_server, address: "127.0.0.1:80", ${option.replace("SOURCE", source)}}`,
      );
    expect(problemsOf(text("'.x = keys(.); %a = 1; true'"))).toEqual([]);
    expect(problemsOf(text("upcase(.a)"))).toEqual([
      expect.objectContaining({ componentKey: "in", field, severity: "error" }),
    ]);
  });

  test("are none where a condition is of another type", () => {
    const transform = "type: filter\ninputs: [in]\ncondition: {type: is_log}";
    expect(problemsOf(pipeline(transform))).toEqual([]);
  });

  test("are none because of references, wherever they stand", () => {
    const source = '.port = SECRET[port]\n.key = "x-SECRET[key]"\n.x = "a" + "SECRET[key]"';
    expect(problemsOf(pipeline(remap(source)))).toEqual([]);
  });

  test("know the enrichment tables", () => {
    const source = '.row = get_enrichment_table_record!("users", {"id": 1})';
    const table =
      "enrichment_tables:\n  users: {type: file, file: {path: /u.csv, encoding: {type: csv}}}\n";
    expect(problemsOf(table + pipeline(remap(source)))).toEqual([]);
    expect(problemsOf(pipeline(remap(source)))).toHaveLength(1);
  });
});

const metrics = "in: {type: internal_metrics}";
const both = `${metrics}\n  logs: {type: demo_logs, format: json}`;
const filtered = "\n  f: {type: filter, inputs: [in], condition: 'true'}";
const events: readonly (readonly [string, string, boolean])[] = [
  ["logs", pipeline(remap(".x = keys(.)")), true],
  [
    "logs after a filter",
    pipeline(remap(".x = keys(.)", "[f]")).replace("transforms:", `transforms:${filtered}`),
    true,
  ],
  ["metrics", pipeline(remap(".tags.x = to_string(length(.))"), metrics), false],
  [
    "metrics after a filter",
    pipeline(remap(".tags.x = to_string(length(.))", "[f]"), metrics).replace(
      "transforms:",
      `transforms:${filtered}`,
    ),
    false,
  ],
  ["metrics and logs", pipeline(remap(".x = keys(.)", "[in, logs]"), both), true],
  [
    "logs in Vector's own namespace",
    pipeline(remap(".x = keys(.)"), "in: {type: demo_logs, format: json, log_namespace: true}"),
    false,
  ],
];

describe("what events are taken for", () => {
  test.each(events)("is what Vector takes them for: %s", (_name, text, valid) => {
    expect(problemsOf(text)).toHaveLength(valid ? 0 : 1);
  });

  const vector = process.env["VECTOR_BIN"];
  test.skipIf(vector === undefined).each(events)("by a real Vector: %s", (_name, text, valid) => {
    const folder = mkdtempSync(join(tmpdir(), "vrl-events-"));
    try {
      const path = join(folder, "vector.yaml");
      writeFileSync(path, text);
      const { status } = spawnSync(vector ?? "", ["validate", "--no-environment", path]);
      expect(status).toBe(valid ? 0 : 78);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("what programs before leave makes no error and takes none away: Vector knows nothing of it", () => {
  const chain = `sources:
  in: {type: demo_logs, format: json}
transforms:
  one: {type: remap, inputs: [in], source: .status = to_int!(.status)}
  two: {type: remap, inputs: [one], source: .next = .status + 1}
sinks:
  out: {type: blackhole, inputs: [two]}
`;
  expect(problemsOf(chain)).toMatchObject([
    { componentKey: "two", message: expect.stringMatching(/VRL error 103/) as string },
  ]);
});
