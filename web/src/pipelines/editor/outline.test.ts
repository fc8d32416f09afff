import { create } from "@bufbuild/protobuf";
import { CompletionContext } from "@codemirror/autocomplete";
import { EditorState } from "@codemirror/state";
import { expect, test } from "vitest";

import { ComponentSchema, type Component } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { demoYaml } from "../templates.ts";
import { completePipeline } from "./completion.ts";
import { findComponents } from "./outline.ts";
import { yamlIndent } from "./yaml-indent.ts";

test("finds components and where they are", () => {
  const found = findComponents(demoYaml);
  expect(found.map(({ section, key }) => `${section}.${key}`)).toEqual([
    "sources.demo_logs",
    "transforms.parse",
    "transforms.errors_only",
    "sinks.print",
    "sinks.drop",
  ]);
  for (const { key, from } of found) expect(demoYaml.slice(from, from + key.length)).toBe(key);
});

test("does not mind text that is no YAML yet", () => {
  expect(findComponents("sources:\n  a:\n   type: [\n  b")).toMatchObject([{ key: "a" }]);
});

function complete(text: string, known: readonly Component[] = []): readonly string[] {
  const state = EditorState.create({ doc: text });
  const result = completePipeline(() => known)(new CompletionContext(state, text.length, true));
  return result?.options.map(({ label }) => label) ?? [];
}

test("completes sections at the left edge", () => {
  expect(complete("so")).toContain("sources");
});

test("completes what can be read where inputs are named", () => {
  const text = "sources:\n  in:\n    type: x\nsinks:\n  out:\n    inputs:\n      - ";
  expect(complete(text)).toEqual(["in"]);
  expect(complete("sources:\n  in:\n    type: x\nsinks:\n  out:\n    inputs: [")).toEqual(["in"]);
  expect(complete("sources:\n  in:\n    include:\n      - ")).toEqual([]);
});

test("completes the outputs that a component has", () => {
  const split = create(ComponentSchema, {
    key: "split",
    outputs: [{ name: "errors" }, { name: "_unmatched" }],
  });
  const text = "transforms:\n  split:\n    type: route\nsinks:\n  out:\n    inputs: [";
  expect(complete(text, [split])).toEqual(["split.errors", "split._unmatched"]);
});

test.each([
  ["sinks:", 2],
  ["  out:", 4],
  ["    source: |", 6],
  ["    - name:", 8],
  ["    type: console", 4],
  ["  # note:", 2],
  ["    ", 4],
  ["", 0],
])("after %o a line starts at %i", (line, expected) => {
  expect(yamlIndent(line)).toBe(expected);
});
