import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { coloured, paintFor, plain } from "./colour.ts";
import { diffLines, formatDiff } from "./line-diff.ts";
import { createOutput } from "./output.ts";
import { printable } from "./printable.ts";
import { formatTable } from "./table.ts";

describe("a diff of lines", () => {
  const text = fc
    .array(fc.constantFrom("a", "b", "c", "d", ""), { maxLength: 30 })
    .map((lines) => lines.map((line) => `${line}\n`).join(""));

  test("has both texts in it", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const lines = diffLines(before, after);
        const without = (kind: string): string =>
          lines.flatMap((line) => (line.kind === kind ? [] : [`${line.text}\n`])).join("");
        expect(without("added")).toBe(before);
        expect(without("removed")).toBe(after);
      }),
    );
  });

  test("is the shortest one", () => {
    const longestCommon = (a: readonly string[], b: readonly string[]): number => {
      const table = Array.from({ length: a.length + 1 }, () => Array<number>(b.length + 1).fill(0));
      for (const [i, left] of a.entries()) {
        for (const [j, right] of b.entries()) {
          const row = table[i + 1] ?? [];
          row[j + 1] =
            left === right
              ? (table[i]?.[j] ?? 0) + 1
              : Math.max(table[i]?.[j + 1] ?? 0, row[j] ?? 0);
        }
      }
      return table[a.length]?.[b.length] ?? 0;
    };
    fc.assert(
      fc.property(text, text, (before, after) => {
        const same = diffLines(before, after).filter(({ kind }) => kind === "same").length;
        expect(same).toBe(
          longestCommon(before.split("\n").slice(0, -1), after.split("\n").slice(0, -1)),
        );
      }),
    );
  });

  test("shows three lines around each change", () => {
    const before = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);
    const after = before.with(9, "other");
    expect(
      formatDiff(diffLines(before.join("\n"), after.join("\n"))).map(({ text }) => text),
    ).toEqual([
      "@@ line 7 → 7 @@",
      " line 7",
      " line 8",
      " line 9",
      "-line 10",
      "+other",
      " line 11",
      " line 12",
      " line 13",
    ]);
    expect(formatDiff(diffLines("a\n", "a\n"))).toEqual([]);
  });

  test("of two large texts that share nothing is made in a moment", () => {
    const make = (word: string): string =>
      Array.from({ length: 20_000 }, (_, index) => `${word} ${index}\n`).join("");
    const lines = diffLines(make("a"), make("b"));
    expect(lines).toHaveLength(40_000);
  });
});

test("texts of others do not command the terminal", () => {
  expect(printable("a\u001b[2Jb\u0007\rc\u009bd\u202ee")).toBe(
    "a\uFFFD[2Jb\uFFFD\uFFFDc\uFFFDd\uFFFDe",
  );
  expect(printable("two\nlines\tü 😀")).toBe("two\nlines  ü 😀");
});

test("columns line up, with colours too", () => {
  const rows = [
    ["web", coloured("green", "ok")],
    ["a longer\nname", "not ok"],
  ];
  expect(formatTable(["NAME", "STATE"], rows).split("\n")).toEqual([
    "NAME           STATE",
    `web            ${coloured("green", "ok")}`,
    "a longer name  not ok",
  ]);
});

test("colours are for terminals whose people want them", () => {
  expect(paintFor({ isTTY: true }, {})).toBe(coloured);
  expect(paintFor({ isTTY: true }, { NO_COLOR: "1" })).toBe(plain);
  expect(paintFor({ isTTY: true }, { TERM: "dumb" })).toBe(plain);
  expect(paintFor({}, {})).toBe(plain);
});

test("a result is a table, JSON or YAML, and notes stay out of it", () => {
  const value = { name: "web", list: ["a"], nothing: null };
  for (const format of ["table", "json", "yaml"] as const) {
    let out = "";
    let notes = "";
    const output = createOutput(
      format,
      plain,
      (text) => (out += text),
      (text) => (notes += text),
    );
    output.show(["before"]);
    output.note("meanwhile");
    output.result(value, () => "a table");
    expect(notes).toBe("meanwhile\n");
    if (format === "table") expect(out).toBe("before\na table\n");
    if (format === "json") expect(JSON.parse(out)).toEqual(value);
    if (format === "yaml") expect(parse(out)).toEqual(value);
  }
});
