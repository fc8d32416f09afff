import { expect, test } from "vitest";
import { parseTestReport } from "./unit-tests.ts";

/** As Vector 0.58 writes it. */
const report = `Running tests
test good one ... passed
test bad: one ... failed
test also bad ... failed

failures:

test bad: one:

check[0] for transforms ["merge"] failed conditions:

  condition[0]: source execution resolved to false

output payloads from ["merge"] (events encoded as JSON):
  {"a":1,"message":"x"}

test also bad:

checks for transforms ["parse"] failed: no events received. Topology may be disconnected or transform is missing inputs.

`;

test("a report tells of each test whether it passed, and what is wrong", () => {
  expect(parseTestReport(report)).toEqual([
    { name: "good one", passed: true, message: "" },
    {
      name: "bad: one",
      passed: false,
      message: `check[0] for transforms ["merge"] failed conditions:
  condition[0]: source execution resolved to false
output payloads from ["merge"] (events encoded as JSON):
  {"a":1,"message":"x"}`,
    },
    {
      name: "also bad",
      passed: false,
      message: expect.stringContaining("no events received") as string,
    },
  ]);
});

test("what is no report has no tests", () => {
  expect(parseTestReport("Running tests\nFailed to execute tests:\ntransforms.parse: x\n")).toEqual(
    [],
  );
});
