import { describe, expect, test } from "vitest";
import { replaceValue } from "./replace-value.ts";

const place = (path: readonly (string | number)[], from = 0, to = 1000) => ({
  componentKey: "out",
  path,
  from,
  to,
});
const withPassword = (password: string): string =>
  `# keep\nsinks:\n  out:   # the one\n    type: http\n    inputs: [ "in" ]\n    auth: &login\n      password: ${password}\n      user:    me\n`;

describe("replaceValue", () => {
  test.each([
    ["plain", "hunter2"],
    ["plain with a comment", "hunter2 # old"],
    ["single quotes", "'hunter2'"],
    ["double quotes", '"hunter2"'],
    ["a number", "12345"],
  ])("changes one value and no other byte: %s", (_name, written) => {
    const replaced = replaceValue(withPassword(written), place(["auth", "password"]), "SECRET[pw]");
    const comment = written.includes("#") ? " # old" : "";
    expect(replaced).toMatchObject({
      kind: "replaced",
      text: withPassword(`"SECRET[pw]"${comment}`),
      value: written === "12345" ? "12345" : "hunter2",
    });
  });

  test("replaces a part of a text", () => {
    const text = "sinks:\n  out: {type: http, uri: 'https://me:pw@example.com/'}\n";
    expect(replaceValue(text, place(["uri"], 11, 13), "SECRET[pw]")).toEqual({
      kind: "replaced",
      text: 'sinks:\n  out: {type: http, uri: "https://me:SECRET[pw]@example.com/"}\n',
      value: "pw",
    });
  });

  test("replaces a text of several lines, and leaves what follows", () => {
    const text = `sinks:\n  out:\n    type: http\n    key: |\n      one\n      two\n    next: 1\n`;
    expect(replaceValue(text, place(["key"]), "SECRET[k]")).toEqual({
      kind: "replaced",
      text: `sinks:\n  out:\n    type: http\n    key: "SECRET[k]"\n    next: 1\n`,
      value: "one\ntwo\n",
    });
  });

  test("replaces a value that others repeat, for them too", () => {
    const text = "sinks:\n  out: {type: x, pw: &p secret}\n  b: {type: x, pw: *p}\n";
    expect(replaceValue(text, place(["pw"]), "SECRET[x]")).toMatchObject({
      text: 'sinks:\n  out: {type: x, pw: &p "SECRET[x]"}\n  b: {type: x, pw: *p}\n',
    });
  });

  test.each([
    ["an alias", "sinks:\n  a: {type: x, pw: &p secret}\n  out: {type: x, pw: *p}\n", ["pw"]],
    ["a merge", "base: &b {pw: x}\nsinks:\n  out: {<<: *b, type: x}\n", ["pw"]],
    ["no such component", "sinks:\n  other: {type: x}\n", ["pw"]],
  ])("leaves %s to a person", (_name, text, path) => {
    expect(replaceValue(text, place(path), "SECRET[x]").kind).toBe("impossible");
  });
});
