import { expect, test } from "vitest";
import { boundedText } from "./text.ts";

test("text of any kind becomes valid, bounded UTF-8 without NUL, cut between characters (P12)", () => {
  expect(boundedText("caf\u00e9", 100)).toBe("caf\u00e9");
  expect(boundedText("a\0b", 100)).toBe("a\uFFFDb");
  expect(boundedText("\uD800 alone", 100)).toBe("\uFFFD alone");
  const cut = boundedText("\u{1F600}".repeat(1000), 100);
  expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(100);
  expect(cut).toMatch(/^\u{1F600}+…$/u);
});
