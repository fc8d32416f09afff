import { describe, expect, test } from "vitest";
import { parseVrlJson, plainJson } from "#vrl/values.ts";
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
      const value = parseVrlJson(JSON.stringify(example.event));
      const ran = loadVrl().run(code, { events: [{ value }], compile: { condition } });
      const [outcome] = "outcomes" in ran ? ran.outcomes : [];
      expect(outcome?.kind).toBe("done");
      if (outcome?.kind !== "done") return;
      const shown = plainJson(condition ? outcome.result : outcome.value);
      expect(JSON.parse(shown)).toEqual(example.result);
      // An example that shows no effect shows nothing.
      if (!condition) expect(example.result).not.toEqual(example.event);
      // Vector fills in its environment for $names before it reads a program.
      expect(code).not.toMatch(/\$[A-Za-z0-9_{]/);
    },
  );
});
