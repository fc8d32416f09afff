import { describe, expect, test } from "vitest";
import { selectorCases } from "../../testing/selector-cases.ts";
import { describeSelector, matchesSelector } from "./selector.ts";

describe("matchesSelector", () => {
  test.each(selectorCases)("%s", (_name, selector, labels, matches) => {
    expect(matchesSelector(selector, labels)).toBe(matches);
  });

  test("decides for 10 000 nodes and 100 pipelines in under two seconds", () => {
    const selector = [{ key: "tier", operator: "in" as const, values: ["gold", "silver"] }];
    const nodes = Array.from({ length: 10_000 }, (_, index) => ({
      site: `s${index % 40}`,
      tier: ["gold", "silver", "tin", "lead"][index % 4] ?? "",
    }));
    const started = performance.now();
    let matching = 0;
    for (let pipeline = 0; pipeline < 100; pipeline += 1) {
      for (const labels of nodes) if (matchesSelector(selector, labels)) matching += 1;
    }
    expect(matching).toBe(500_000);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

test("describeSelector says it in words", () => {
  expect(describeSelector(null)).toBe("all hosts");
  expect(
    describeSelector([
      { key: "site", operator: "equals", values: ["fra"] },
      { key: "env", operator: "not_equals", values: ["dev"] },
      { key: "tier", operator: "in", values: ["gold", "silver"] },
      { key: "rack", operator: "exists", values: [] },
      { key: "canary", operator: "not_exists", values: [] },
    ]),
  ).toBe("site = fra, env != dev, tier in (gold, silver), rack exists, canary does not exist");
});
