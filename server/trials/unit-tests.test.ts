import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadVrl } from "#vrl/vrl.ts";
import { loadCatalogue } from "../configuration/catalogue.ts";
import { parsePipelineText } from "../configuration/graph.ts";
import { runUnitTests } from "./unit-tests.ts";

const pipeline = `
sources:
  in: {type: demo_logs, format: json}
transforms:
  parse:
    type: remap
    inputs: [in]
    drop_on_error: true
    reroute_dropped: true
    source: |
      . = parse_json!(.message)
      .seen = true
  errors:
    type: filter
    inputs: [parse]
    condition: .level == "error"
  split:
    type: route
    inputs: [parse]
    route:
      big: to_int!(.size) > 10
      named: {type: vrl, source: exists(.name)}
  first:
    type: exclusive_route
    inputs: [parse]
    routes:
      - {name: big, condition: (to_int(.size) ?? 0) > 10}
      - {name: named, condition: exists(.name)}
  many:
    type: remap
    inputs: [split.big]
    source: '. = [{"n": 1}, {"n": 2}, "text"]'
  merge:
    type: reduce
    inputs: [parse]
    group_by: [name]
sinks:
  out: {type: blackhole, inputs: [errors, split.*, first.*, many, merge, parse.dropped]}
`;

/** Name, whether it passes, and its definition. */
const cases: readonly (readonly [string, boolean, string])[] = [
  [
    "a program",
    true,
    `inputs: [{insert_at: parse, value: '{"level":"error"}'}]
     outputs: [{extract_from: parse, conditions: ['.seen == true', '.level == "error"']}]`,
  ],
  [
    "a condition that does not hold",
    false,
    `inputs: [{insert_at: parse, value: '{"level":"error"}'}]
     outputs: [{extract_from: parse, conditions: ['.level == "info"']}]`,
  ],
  [
    "a condition that fails",
    false,
    `inputs: [{insert_at: parse, value: '{"level":"error"}'}]
     outputs: [{extract_from: parse, conditions: ['assert!(.level == "info", "no")']}]`,
  ],
  [
    "a chain",
    true,
    `inputs: [{insert_at: parse, value: '{"level":"error","size":11}'}]
     outputs:
       - {extract_from: errors, conditions: [.seen == true]}
       - {extract_from: split.big, conditions: [exists(.size)]}
       - {extract_from: many, conditions: [.n == 2]}
       - {extract_from: many, conditions: ['.message == "text"']}`,
  ],
  [
    "no event where one is expected",
    false,
    `inputs: [{insert_at: errors, type: log, log_fields: {level: info}}]
     outputs: [{extract_from: errors, conditions: ['true']}]`,
  ],
  [
    "no outputs, as expected",
    true,
    `inputs: [{insert_at: errors, type: log, log_fields: {level: info}}]
     no_outputs_from: [errors]`,
  ],
  [
    "an output that none is expected from",
    false,
    `inputs: [{insert_at: errors, type: log, log_fields: {level: error}}]
     no_outputs_from: [errors]`,
  ],
  [
    "what was dropped, with its reason",
    true,
    `inputs: [{insert_at: parse, value: no json}]
     outputs:
       - extract_from: parse.dropped
         conditions:
           - '.message == "no json"'
           - .metadata.dropped.reason == "error"
           - .metadata.dropped.component_id == "parse"
           - exists(.timestamp)
     no_outputs_from: [parse]`,
  ],
  [
    "routes, and what none takes",
    true,
    `inputs:
       - {insert_at: split, type: log, log_fields: {size: 11, name: a}}
       - {insert_at: split, type: log, log_fields: {size: 1}}
     outputs:
       - {extract_from: split.big, conditions: ['.name == "a"']}
       - {extract_from: split.named, conditions: [.size == 11]}
       - {extract_from: split._unmatched, conditions: [.size == 1]}`,
  ],
  [
    "a route whose condition fails",
    true,
    `inputs: [{insert_at: split, type: log, log_fields: {size: many}}]
     outputs: [{extract_from: split._unmatched, conditions: ['.size == "many"']}]
     no_outputs_from: [split.big]`,
  ],
  [
    "the first of exclusive routes",
    true,
    `inputs:
       - {insert_at: first, type: log, log_fields: {size: 11, name: a}}
       - {insert_at: first, type: log, log_fields: {name: b}}
       - {insert_at: first, type: log, log_fields: {other: true}}
     outputs:
       - {extract_from: first.big, conditions: ['.name == "a"']}
       - {extract_from: first.named, conditions: ['.name == "b"']}
       - {extract_from: first._unmatched, conditions: [.other == true]}`,
  ],
  [
    "nested and quoted fields, and of each type",
    true,
    `inputs:
       - insert_at: errors
         type: log
         log_fields: {level: error, a.b: 1, '"odd key".c': x, 'list[1]': 2.5, flag: false}
     outputs:
       - extract_from: errors
         conditions: ['.a.b == 1', '."odd key".c == "x"', '.list == [null, 2.5]', '.flag == false', '.message == ""']`,
  ],
  [
    "an event by a program, without a message",
    true,
    `inputs: [{insert_at: errors, type: vrl, source: '. = {"level": "error"}'}]
     outputs: [{extract_from: errors, conditions: ['!exists(.message)', '!exists(.timestamp)']}]`,
  ],
  [
    "any of the events may satisfy a condition",
    true,
    `inputs:
       - {insert_at: errors, type: log, log_fields: {level: error, n: 1}}
       - {insert_at: errors, type: log, log_fields: {level: error, n: 2}}
     outputs: [{extract_from: errors, conditions: [.n == 1, .n == 2]}]`,
  ],
  [
    "an old form of input, and a list of outputs",
    true,
    `input: {insert_at: split, type: log, log_fields: {size: 11}}
     outputs: [{extract_from: [split.big, split.named], conditions: [.size == 11]}]`,
  ],
  [
    "as many events as expected",
    true,
    `inputs: [{insert_at: many, type: log, log_fields: {size: 11}}]
     outputs: [{extract_from: many, expected_event_count: 3}]`,
  ],
  [
    "another number of events than expected",
    false,
    `inputs: [{insert_at: many, type: log, log_fields: {size: 11}}]
     outputs: [{extract_from: many, expected_event_count: 2, conditions: ['true']}]`,
  ],
  [
    "is_log",
    true,
    `inputs: [{insert_at: errors, type: log, log_fields: {level: error}}]
     outputs: [{extract_from: errors, conditions: [{type: is_log}]}]`,
  ],
  [
    "is_metric",
    false,
    `inputs: [{insert_at: errors, type: log, log_fields: {level: error}}]
     outputs: [{extract_from: errors, conditions: [{type: is_metric}]}]`,
  ],
];

const textOf = (...tests: readonly (readonly [string, boolean, string])[]): string =>
  `${pipeline}tests:\n${tests
    .map(
      ([name, , body]) =>
        `  - name: ${JSON.stringify(name)}\n    ${body.replaceAll("\n     ", "\n    ")}\n`,
    )
    .join("")}`;

function results(text: string) {
  const { graph, problems } = parsePipelineText(text);
  if (graph === undefined) throw new Error(JSON.stringify(problems));
  return runUnitTests(graph, loadCatalogue(), loadVrl(), new Date());
}

describe("tests of a configuration", () => {
  test.for(cases)("%s", (one) => {
    const [result] = results(textOf(one));
    expect(result).toMatchObject({ name: one[0], state: one[1] ? "passed" : "failed" });
    if (one[1]) expect(result?.messages).toEqual([]);
    else expect(result?.messages.join("\n")).toMatch(/check|expected/);
  });

  test.runIf(process.env["VECTOR_BIN"])("have the same verdicts in Vector", async () => {
    const folder = await mkdtemp(join(tmpdir(), "vectorflow-tests-"));
    const path = join(folder, "vector.yaml");
    await writeFile(path, textOf(...cases));
    const output = await new Promise<string>((resolve) => {
      execFile(process.env["VECTOR_BIN"] ?? "", ["test", path], (_error, stdout, stderr) =>
        resolve(`${stdout}${stderr}`),
      );
    });
    await rm(folder, { recursive: true, force: true });
    if (!output.includes("...")) throw new Error(output);
    const verdicts = [...output.matchAll(/^test (.*) \.\.\. (passed|failed)/gm)].map(
      ([, name, verdict]) => [name, verdict],
    );
    expect(verdicts).toEqual(cases.map(([name, passes]) => [name, passes ? "passed" : "failed"]));
  });

  test("tell what failed, in Vector's words, with the events", () => {
    const [result] = results(textOf(cases[1] ?? ["", true, ""]));
    expect(result?.messages).toEqual([
      'check[0] for transforms ["parse"] failed conditions:',
      "  condition[0]: source execution resolved to false",
      'output payloads from ["parse"] (events encoded as JSON):',
      '  {"level":"error","seen":true}',
    ]);
  });

  test.for([
    [
      "inputs: [{insert_at: nobody, value: x}]\n     outputs: [{extract_from: parse}]",
      "unable to locate target transform 'nobody'",
    ],
    [
      "inputs: [{insert_at: in, value: x}]\n     outputs: [{extract_from: parse}]",
      "unable to locate target transform 'in'",
    ],
    [
      "inputs: [{insert_at: parse, value: x}]\n     outputs: [{extract_from: nobody}]",
      "'nobody' does not exist",
    ],
    ["inputs: [{insert_at: parse, value: x}]", "at least one of `outputs` or `no_outputs_from`"],
    ["outputs: [{extract_from: parse}]", "must specify at least one input"],
    [
      "inputs: [{insert_at: many, value: x}]\n     outputs: [{extract_from: parse}]",
      "Unable to complete topology",
    ],
    [
      "inputs: [{insert_at: parse, type: log}]\n     outputs: [{extract_from: parse}]",
      "requires the field 'log_fields'",
    ],
    [
      "inputs: [{insert_at: parse, type: trace}]\n     outputs: [{extract_from: parse}]",
      "unrecognized input type 'trace'",
    ],
  ] as const)("that cannot be built fail: %s", ([body, message]) => {
    expect(results(textOf(["t", false, body]))).toMatchObject([
      { state: "failed", messages: [expect.stringContaining(message)] },
    ]);
  });

  test.for([
    ["inputs: [{insert_at: merge, value: x}]\n     outputs: [{extract_from: merge}]", "reduce"],
    [
      "inputs: [{insert_at: parse, type: metric}]\n     outputs: [{extract_from: parse}]",
      "metrics",
    ],
    [
      "inputs: [{insert_at: errors, type: vrl, source: '.h = get_hostname!()'}]\n     outputs: [{extract_from: errors}]",
      "get_hostname",
    ],
    [
      "inputs: [{insert_at: parse, value: '{}'}]\n     outputs: [{extract_from: parse, conditions: [{type: datadog_search, source: x}]}]",
      "datadog_search",
    ],
  ] as const)("that only Vector can run are not run: %s", ([body, message]) => {
    expect(results(textOf(["t", false, body]))).toMatchObject([
      { state: "not_run", messages: [expect.stringContaining(message)] },
    ]);
  });
});
