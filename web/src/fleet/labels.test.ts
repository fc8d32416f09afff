import { expect, test } from "vitest";

import { parseLabels } from "./labels.ts";

test("rows become labels, empty ones do not count", () => {
  const rows = [
    { key: " site ", value: " fra " },
    { key: "", value: "" },
    { key: "flag", value: "" },
  ];
  expect(parseLabels(rows)).toEqual({ kind: "labels", labels: { site: "fra", flag: "" } });
});

test("a name that is missing or there twice is refused", () => {
  expect(parseLabels([{ key: "", value: "x" }]).kind).toBe("invalid");
  const twice = { key: "site", value: "x" };
  expect(parseLabels([twice, twice])).toEqual({
    kind: "invalid",
    message: "The label site is there twice.",
  });
});
