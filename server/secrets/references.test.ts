import { expect, test } from "vitest";
import { collectReferences, malformedReferencesIn } from "./references.ts";

test("references are found wherever they stand in a text", () => {
  const value = {
    topic: "events_VAR[site]",
    "keySECRET[a]": ["xSECRET[b]y", { c: "1CERT[c]SECRET[d]" }],
  };
  expect(collectReferences(value)).toEqual({
    secrets: ["a", "b", "d"],
    certificates: ["c"],
    variables: ["site"],
  });
});

test.each([
  ["SECRET[ a ]", ["SECRET[ a ]"]],
  ["xSECRET[a b] and CERT[]", ["SECRET[a b]", "CERT[]"]],
  ["VAR[1a] VAR[ok] SECRET[open", ["VAR[1a]", "SECRET[open"]],
  ["VAR[0] + SECRET[12] + other[ a ]", []],
  ["SECRET[ok] CERT[also.ok-1]", []],
])("what looks like a reference and is none: %s", (text, expected) => {
  expect(malformedReferencesIn(text)).toEqual(expected);
});
