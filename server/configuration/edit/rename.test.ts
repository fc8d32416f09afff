import { describe, expect, test } from "vitest";
import { applyEdits } from "#common/apply-edits.ts";
import { loadCatalogue } from "../catalogue.ts";
import { renameComponent, renameOutput, type Renamed } from "./rename.ts";

const catalogue = loadCatalogue();

const text = `# what comes in
sources:
  "web": {type: demo_logs, format: json} # web
  other: {type: demo_logs, format: json}
enrichment_tables:
  cache: {type: memory, inputs: [web, split.errors]}
transforms:
  split:
    type: route
    inputs: [other, 'web'] # both
    route:
      errors: .level == "error" # web.errors
      rest: "true"
sinks:
  one:
    type: blackhole
    inputs:
      # the errors
      - split.errors
      - "web"
  two: {type: blackhole, inputs: ["w*", split.rest]}
tests:
  - name: web
    inputs: [{insert_at: split, type: raw, value: web}]
    outputs: [{extract_from: split.errors, conditions: [{type: vrl, source: "true"}]}]
    no_outputs_from: [split.rest, web]
`;

const textOf = (renamed: Renamed): string => (renamed.kind === "renamed" ? renamed.text : "");

describe("a component", () => {
  test("gets its name wherever it is read, and nothing else changes", () => {
    const renamed = renameComponent(text, "split", "by_level", catalogue);
    expect(textOf(renamed)).toBe(text.replaceAll(/\bsplit\b/g, "by_level"));
    if (renamed.kind === "renamed") expect(applyEdits(text, renamed.edits)).toBe(renamed.text);
    expect(renamed).toMatchObject({ notes: [] });
    expect(textOf(renameComponent(textOf(renamed), "by_level", "split", catalogue))).toBe(text);
  });

  test("leaves patterns as they are, and says what they miss", () => {
    const renamed = renameComponent(text, "web", "site", catalogue);
    expect(renamed).toMatchObject({
      notes: ["the patterns in the inputs of two no longer match site"],
    });
    const lines = textOf(renamed).split("\n");
    expect(lines).toContain('  "site": {type: demo_logs, format: json} # web');
    expect(lines).toContain("    inputs: [other, 'site'] # both");
    expect(lines).toContain('  two: {type: blackhole, inputs: ["w*", split.rest]}');
    expect(lines).toContain("  - name: web");
    expect(lines).toContain("    no_outputs_from: [split.rest, site]");
  });

  test("is found in merged and repeated inputs", () => {
    const merged = `sources:
  in: {type: demo_logs, format: json}
base: &base
  inputs: &inputs [in]
sinks:
  one: {<<: *base, type: blackhole}
  two: {type: blackhole, inputs: *inputs}
`;
    expect(textOf(renameComponent(merged, "in", "new", catalogue))).toBe(
      merged.replace("  in:", "  new:").replace("[in]", "[new]"),
    );
  });

  test.each([
    ["another one's", "split", "one", /another component is named one already/],
    ["one that cannot be written", "split", "a.b", /needs 1 to 128/],
    ["a reserved one", "split", "__vectorflow_x", /reserved/],
    ["one for what is not there", "gone", "here", /no component named gone/],
  ])("does not get a name that is %s", (_name, from, to, message) => {
    const renamed = renameComponent(text, from, to, catalogue);
    expect(renamed).toMatchObject({
      kind: "impossible",
      message: expect.stringMatching(message) as string,
    });
  });

  test("does not become a word that YAML reads as something else", () => {
    const renamed = textOf(renameComponent(text, "one", "null", catalogue));
    expect(renamed).toContain('  "null":');
  });
});

describe("a route", () => {
  test("gets its name wherever it is read", () => {
    const renamed = renameOutput(text, "split", "errors", "bad", catalogue);
    expect(textOf(renamed)).toBe(
      text.replaceAll("split.errors", "split.bad").replace("errors: .level", "bad: .level"),
    );
  });

  test("of exclusive_route too", () => {
    const exclusive = `sources:
  in: {type: demo_logs, format: json}
transforms:
  x: {type: exclusive_route, inputs: [in], routes: [{name: a, condition: "true"}, {name: b, condition: "true"}]}
sinks:
  out: {type: blackhole, inputs: [x.a, x.b, x._unmatched]}
`;
    expect(textOf(renameOutput(exclusive, "x", "b", "c", catalogue))).toBe(
      exclusive.replace("name: b", "name: c").replace("x.b", "x.c"),
    );
  });

  test.each([
    ["the rest", "split", "_unmatched", "x"],
    ["one that another has", "split", "errors", "rest"],
    ["a reserved one", "split", "errors", "_default"],
    ["a pattern", "split", "errors", "a*"],
    ["an output of another type", "web", "", "x"],
  ])("is not renamed when it is, or would be, %s", (_name, key, from, to) => {
    expect(renameOutput(text, key, from, to, catalogue).kind).toBe("impossible");
  });
});
