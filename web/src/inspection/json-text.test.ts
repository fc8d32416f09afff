import { expect, test } from "vitest";

import { cellText, membersOf, prettyJson } from "./json-text.ts";

test.each([
  ['{"a":1.0,"b":[]}', '{\n  "a": 1.0,\n  "b": []\n}'],
  ['[{"x":"a:b,{"}]', '[\n  {\n    "x": "a:b,{"\n  }\n]'],
  ["12345678901234567890", "12345678901234567890"],
  ["{}", "{}"],
])("%s is written over lines", (json, pretty) => {
  expect(prettyJson(json)).toBe(pretty);
});

test.each<[string, Record<string, string>]>([
  ['{"a":1.0,"b":{"c":[1,2]},"d":"x,y"}', { a: "1.0", b: '{"c":[1,2]}', d: '"x,y"' }],
  ['{"a\\"b": null }', { 'a"b': "null" }],
  ["{}", {}],
  ["[1,2]", {}],
  ['"text"', {}],
])("%s has members", (json, members) => {
  expect(Object.fromEntries(membersOf(json))).toEqual(members);
});

test("a cell shows a text without quotes and a number with all its digits", () => {
  expect(cellText('"a\\nb"')).toBe("a\nb");
  expect(cellText("12345678901234567890")).toBe("12345678901234567890");
});
