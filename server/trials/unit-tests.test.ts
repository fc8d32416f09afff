import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadVrl } from "#vrl/vrl.ts";
import { loadCatalogue } from "../configuration/catalogue.ts";
import { parsePipelineText } from "../configuration/graph.ts";
import { cases, pipeline, type UnitTestCase } from "./testing/unit-test-cases.ts";
import { runUnitTests } from "./unit-tests.ts";

const textOf = (...tests: readonly UnitTestCase[]): string =>
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
