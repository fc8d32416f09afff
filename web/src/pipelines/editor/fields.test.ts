import { create } from "@bufbuild/protobuf";
import { CompletionContext } from "@codemirror/autocomplete";
import { EditorState } from "@codemirror/state";
import { expect, test } from "vitest";

import { ComponentSchema } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { completeFields, fieldsReaching } from "./fields.ts";

const field = (path: string, certain: boolean, ...types: string[]) => ({ path, types, certain });
const components = [
  create(ComponentSchema, {
    key: "a",
    outputs: [
      { name: "", fields: [field(".status", true, "integer"), field(".only", true, "string")] },
    ],
  }),
  create(ComponentSchema, {
    key: "b",
    outputs: [{ name: "x", fields: [field(".status", true, "string"), field(".any", false)] }],
  }),
  create(ComponentSchema, {
    key: "t",
    edges: [{ componentKey: "a" }, { componentKey: "b", output: "x" }],
  }),
];

test("fields of several inputs are certain only when all have them", () => {
  expect(fieldsReaching(components, "t")).toEqual([
    { path: ".any", types: [], certain: false },
    { path: ".only", types: ["string"], certain: false },
    { path: ".status", types: ["integer", "string"], certain: true },
  ]);
  expect(fieldsReaching(components, "a")).toEqual([]);
});

const text = (program: string, section = "transforms"): string =>
  `${section}:\n  t:\n    type: remap\n    inputs: [a, b.x]\n    source: |\n      ${program}`;

test.each([
  ["x = .", [".any", ".only", ".status"]],
  ["upcase(.st", [".any", ".only", ".status"]],
  [".", [".any", ".only", ".status"]],
  ["foo().b", []],
  ['"a.', []],
  ["1.", []],
])("after %o come %o", (program, expected) => {
  const doc = text(program);
  const context = new CompletionContext(EditorState.create({ doc }), doc.length, false);
  const result = completeFields(() => components)(context);
  expect((result?.options ?? []).map(({ label }) => label)).toEqual(expected);
  if (result) expect(doc.slice(result.from)).toMatch(/^\./);
});

test("nothing comes in sinks", () => {
  const doc = text(".", "sinks");
  const context = new CompletionContext(EditorState.create({ doc }), doc.length, true);
  expect(completeFields(() => components)(context)).toBeNull();
});
