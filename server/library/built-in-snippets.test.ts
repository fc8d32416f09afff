import { describe, expect, test } from "vitest";
import { loadVrl } from "#vrl/vrl.ts";
import { builtInSnippets } from "./built-in-snippets.ts";

describe("snippets that ship", () => {
  test("are many, of every category, each with a name and an id of its own", () => {
    expect(builtInSnippets.length).toBeGreaterThanOrEqual(40);
    for (const field of ["id", "name"] as const) {
      const all = builtInSnippets.map((snippet) => snippet[field]);
      expect(new Set(all).size).toBe(all.length);
    }
    expect(new Set(builtInSnippets.map(({ category }) => category))).toEqual(
      new Set(["Parse", "Redact", "Enrich", "Filter", "Convert", "Metrics"]),
    );
  });

  test.each(builtInSnippets)(
    "$id compiles without a word, and does what its example says",
    (snippet) => {
      const { code, condition, example } = snippet;
      expect(loadVrl().check(code, { condition }).diagnostics).toEqual([]);
      const ran = loadVrl().run(code, { events: [example.event], compile: { condition } });
      const [outcome] = "outcomes" in ran ? ran.outcomes : [];
      expect(outcome?.kind).toBe("done");
      if (outcome?.kind !== "done") return;
      expect(condition ? outcome.result : outcome.target).toEqual(example.result);
      // An example that shows no effect shows nothing.
      if (!condition) expect(example.result).not.toEqual(example.event);
      // Vector fills in its environment for $names before it reads a program.
      expect(code).not.toMatch(/\$[A-Za-z0-9_{]/);
    },
  );
});
