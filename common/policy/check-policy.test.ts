import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { policyOf, preset, sink } from "../testing/policy-case.ts";
import { checkPolicy } from "./check-policy.ts";
import { checkConfigText } from "./read-config.ts";

/** A backend of the configuration's own. */
const backend = "secret: {a: {type: file, path: /var/log/a}}\n";

describe("the text of a configuration", () => {
  const restricted = policyOf(preset);
  test.each([
    ["an alias", "x: &a {type: exec, command: [x]}\nsources:\n  c: *a\n", "components.deny"],
    [
      "a merged map",
      "x: &a {type: exec}\nsources:\n  c:\n    <<: *a\n    command: [x]\n",
      "components.deny",
    ],
    ["a tag", "sources:\n  c: {type: !exec demo_logs}\n", "components"],
    ["a string by tag", 'sources:\n  c: {type: !!str "exec"}\n', "components.deny"],
    ["escapes", 'sources:\n  c: {type: "\\x65xec"}\n', "components.deny"],
    [
      "a reference without quotes",
      `${backend}sources:\n  c:\n    type: demo_logs\n    format: SECRET[a.b]\n`,
      "references",
    ],
    [
      "a reference in single quotes",
      `${backend}sources:\n  c: {type: demo_logs, format: 'SECRET[a.b]'}\n`,
      "references",
    ],
    [
      "a reference as a key",
      `${backend}sources:\n  "SECRET[a.b]": {type: demo_logs}\n`,
      "references",
    ],
    [
      "a variable with a default",
      "sources:\n  c:\n    type: demo_logs\n    format: ${X:-json}\n",
      "references",
    ],
    ["two documents", "sources: {}\n---\nsources: {c: {type: exec}}\n", "components"],
    ["a list", "- a\n", "components"],
    ["what is no YAML", "a: [", "components"],
    ["an endless alias", "a: &a\n  b: *a\nsources: *a\n", "components"],
    [
      "a bomb of aliases",
      `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefgh"
        .split("")
        .map((key, index) => `${key}: &${key} [${`*${"abcdefg"[index]},`.repeat(9)}]`)
        .join("\n")}\n`,
      "components",
    ],
  ])("is refused for %s", (_name, text, rule) => {
    expect(checkConfigText(restricted, text).map((problem) => problem.rule)).toContain(rule);
  });

  test("passes with references in double quotes", () => {
    const text =
      'sinks:\n  c: {type: http, inputs: [a], uri: "https://a", auth: {strategy: bearer, token: "SECRET[a.b]"}}\n';
    expect(checkConfigText(restricted, text)).toEqual([]);
  });

  test("names component and field of a loose reference", () => {
    const [problem] = checkConfigText(
      restricted,
      `${backend}sinks:\n  web:\n    type: http\n    uri: https://a\n    auth:\n      token: SECRET[a.b]\n`,
    );
    expect(problem).toMatchObject({ componentId: "web", field: "auth.token" });
  });

  test("costs a bounded time when it is huge", () => {
    const text = stringify({
      sources: Object.fromEntries(
        Array.from({ length: 20_000 }, (_, index) => [`s${index}`, { type: "exec" }]),
      ),
    });
    const problems = checkConfigText(restricted, text);
    expect(problems).toHaveLength(50);
  });

  test("is judged by where its symbolic links lead, when somebody can tell", () => {
    const resolve = (path: string) => path.replace(/^\/srv\/out\/link/, "/etc");
    const config = sink("file", { path: "/srv/out/link/{{ x }}" });
    expect(checkPolicy(restricted, config)).toEqual([]);
    const [problem] = checkPolicy(restricted, config, { resolve });
    expect(problem).toMatchObject({ rule: "files.write", componentId: "c", field: "path" });
    expect(problem?.message).toContain("/etc");
  });
});

test("certificates that come with a pipeline may be read, and nothing else of their folder's", () => {
  const files = { certificates: "/data/p1/certs" };
  const reads = (path: string) => sink("http", { uri: "https://a", tls: { ca_file: path } });
  const check = (path: string) => checkPolicy(policyOf(preset), reads(path), files).length;
  expect(check("/data/p1/certs/0123abcd")).toBe(0);
  for (const path of ["/data/p1/certs/../x", "/data/p1/certs/a/b", "/data/p1/certs", "0123abcd"]) {
    expect(check(path)).toBe(1);
  }
});

test("what comes with a pipeline needs no quotes of its author's", () => {
  const text =
    "sinks:\n  c:\n    type: http\n    inputs: [a]\n    uri: https://a\n    auth:\n      token: SECRET[key]\n";
  expect(checkConfigText(policyOf(preset), text)).toEqual([]);
});
