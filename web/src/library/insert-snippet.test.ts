import { expect, test } from "vitest";

import { insertSnippet } from "./insert-snippet.ts";

const code = ".a = 1\nif .b {\n  .c = 2\n}";

/** `^` is the cursor, before and after. */
function inserted(marked: string, snippet = code): string {
  const position = marked.indexOf("^");
  const text = marked.replace("^", "");
  const { from, to, insert, cursor } = insertSnippet(text, position, snippet);
  const result = text.slice(0, from) + insert + text.slice(to);
  return `${result.slice(0, cursor)}^${result.slice(cursor)}`;
}

test.each([
  [
    "an empty line of a block",
    "t:\n  source: |\n    .x = 1\n    ^\nsinks:",
    "t:\n  source: |\n    .x = 1\n    .a = 1\n    if .b {\n      .c = 2\n    }^\nsinks:",
  ],
  [
    "the first line below a block's head",
    "t:\n  source: |\n^\nsinks:",
    "t:\n  source: |\n    .a = 1\n    if .b {\n      .c = 2\n    }^\nsinks:",
  ],
  [
    "a line without indentation within a block",
    "t:\n  source: |\n    .x = 1\n^",
    "t:\n  source: |\n    .x = 1\n    .a = 1\n    if .b {\n      .c = 2\n    }^",
  ],
  [
    "a line that has something",
    "t:\n  source: |\n    .x^ = 1  \n    .y = 2",
    "t:\n  source: |\n    .x = 1\n    .a = 1\n    if .b {\n      .c = 2\n    }^\n    .y = 2",
  ],
  [
    "a block's head",
    "t:\n  source: |^\n    .y = 2",
    "t:\n  source: |\n    .a = 1\n    if .b {\n      .c = 2\n    }^\n    .y = 2",
  ],
  [
    "a key without a value",
    "t:\n  source:^\n  inputs: [in]",
    "t:\n  source: |\n    .a = 1\n    if .b {\n      .c = 2\n    }^\n  inputs: [in]",
  ],
  ["an empty text", "^", ".a = 1\nif .b {\n  .c = 2\n}^"],
])("goes into %s", (_, before, after) => {
  expect(inserted(before)).toBe(after);
});

test("keeps empty lines empty", () => {
  expect(inserted("s: |\n^", ".a = 1\n\n.b = 2\n")).toBe("s: |\n  .a = 1\n\n  .b = 2^");
});
