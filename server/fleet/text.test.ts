import { describe, expect, test } from "vitest";
import { clean, cleanName } from "./text.ts";

describe("clean", () => {
  test.each([
    ["zero characters", "a\0b", "a\uFFFDb"],
    ["bells, escapes and deletions", "\x07\x1b[31m\x7f", "\uFFFD\uFFFD[31m\uFFFD"],
    ["control characters beyond ASCII", "\x9b31m", "\uFFFD31m"],
    ["marks that turn the direction", "a\u202Egnp.exe\u2069", "a\uFFFDgnp.exe\uFFFD"],
    ["a lone surrogate", "a\ud800b", "a\uFFFDb"],
    ["a carriage return that would overwrite", "secret\rx", "secret\uFFFDx"],
  ])("replaces %s", (_name, text, expected) => {
    expect(clean(text, 100)).toBe(expected);
  });

  test("keeps what texts are made of", () => {
    const text = "a\tb\r\nc \u05d0\u200f caf\u00e9 \u{1f600}";
    expect(clean(text, 100)).toBe(text);
  });

  test("cuts no character in two", () => {
    expect(clean("ab\u{1f600}", 3)).toBe("ab\uFFFD");
  });

  test("leaves a name in one line", () => {
    expect(cleanName("a\nb\tc\u2028d", 100)).toBe("a\uFFFDb\uFFFDc\uFFFDd");
  });
});
