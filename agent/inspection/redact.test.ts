import { describe, expect, test } from "vitest";
import { parseEventJson, toJson } from "./event-json.ts";
import type { EventValue } from "./event-value.ts";
import { createRedactor, noRules, type RedactionRules } from "./redact.ts";

function redact(event: object, rules: Partial<RedactionRules> = {}) {
  const result = createRedactor({ ...noRules, ...rules });
  if (result.kind === "unusable") throw new Error(result.problem);
  const value = parseEventJson(JSON.stringify(event)) as EventValue;
  const { event: clean, redacted } = result.redactor.redact(value);
  return { json: JSON.parse(toJson(clean)) as unknown, redacted };
}

const mark = "[redacted]";

describe("field rules", () => {
  test.each<{ readonly glob: string; readonly event: object; readonly clean: object }>([
    { glob: "iban", event: { a: { iban: "x" } }, clean: { a: { iban: mark } } },
    { glob: "user.mail", event: { user: { mail: "x" } }, clean: { user: { mail: mark } } },
    {
      glob: "user.mail",
      event: { v: { user: { mail: "x" } } },
      clean: { v: { user: { mail: "x" } } },
    },
    { glob: "*.mail", event: { a: { mail: 1 }, mail: 2 }, clean: { a: { mail: mark }, mail: 2 } },
    { glob: "a.**", event: { a: { b: { c: 1 } }, b: 1 }, clean: { a: { b: mark }, b: 1 } },
    { glob: "**.c", event: { a: { b: { c: 1.5 } } }, clean: { a: { b: { c: mark } } } },
    { glob: "list.id", event: { list: [{ id: 1 }] }, clean: { list: [{ id: 1 }] } },
    { glob: "list[].id", event: { list: [{ id: 1 }] }, clean: { list: [{ id: mark }] } },
    { glob: "cards", event: { cards: ["1", "2"] }, clean: { cards: mark } },
    { glob: "NAME", event: { name: true }, clean: { name: mark } },
    { glob: "a.b", event: { "a.b": { c: 1 } }, clean: { "a.b": mark } },
    { glob: "(a+)+$", event: { a: 1 }, clean: { a: 1 } },
    { glob: "gone", event: { gone: null }, clean: { gone: null } },
  ])("$glob on $event", ({ glob, event, clean }) => {
    expect(redact(event, { fieldGlobs: [glob] }).json).toEqual(clean);
  });

  test.each([
    "password",
    "DB_PASSWORD",
    "client_secret",
    "apiKey",
    "Authorization",
    "access_token",
  ])("%s is secret by its name, at any depth", (name) => {
    const { json, redacted } = redact({ a: [{ [name]: { any: "thing" } }] });
    expect(json).toEqual({ a: [{ [name]: mark }] });
    expect(redacted).toBe(1);
  });
});

describe("value rules", () => {
  test.each<{ readonly pattern: string; readonly event: object; readonly clean: object }>([
    { pattern: "\\d{4}-\\d{4}", event: { a: "no 1234-5678!" }, clean: { a: `no ${mark}!` } },
    { pattern: "^4111", event: { n: 4111 }, clean: { n: mark } },
    {
      pattern: "x",
      event: { deep: ["ax", { b: "x" }] },
      clean: { deep: [`a${mark}`, { b: mark }] },
    },
    { pattern: "k1", event: { k1: 1 }, clean: { [mark]: 1 } },
  ])("$pattern on $event", ({ pattern, event, clean }) => {
    expect(redact(event, { valuePatterns: [pattern] }).json).toEqual(clean);
  });

  test("a pattern that would never end is matched in linear time", () => {
    const started = performance.now();
    redact({ a: `${"a".repeat(200_000)}!` }, { valuePatterns: ["(a+)+b"] });
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test.each([
    ["(?=a)b", "cannot be used"],
    ["(", "cannot be used"],
    ["a*", "matches everything"],
    ["x".repeat(501), "longer than"],
  ])("refuses %s", (pattern, problem) => {
    const result = createRedactor({ fieldGlobs: [], valuePatterns: [pattern] });
    expect(result).toMatchObject({ kind: "unusable" });
    expect(result.kind === "unusable" && result.problem).toContain(problem);
  });
});

describe("built-in shapes", () => {
  const pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----";
  test.each([
    ["key AKIAIOSFODNN7EXAMPLE!", `key ${mark}!`],
    [`ghp_${"a".repeat(36)}`, mark],
    [`github_pat_${"a".repeat(30)}`, mark],
    [`glpat-${"a".repeat(20)}`, mark],
    [`xoxb-${"1".repeat(12)}`, mark],
    [`AIza${"a".repeat(35)}`, mark],
    [`sk_live_${"a".repeat(24)}`, mark],
    [`vfn_${"a".repeat(43)}`, mark],
    [`eyJhbGciOi.${"a".repeat(20)}.${"b".repeat(20)}`, mark],
    ["Authorization: Bearer abcdefgh12345", `Authorization: Bearer ${mark}`],
    ["postgres://app:hunter2@db/x", `postgres://app:${mark}@db/x`],
    ["login password=hunter2 ok", `login password=${mark} ok`],
    ['{"api_key": "hunter2"}', `{"api_key": "${mark}"}`],
    [`before ${pem} after`, `before ${mark} after`],
    ["a password reset was asked for", "a password reset was asked for"],
    ["GET /secret-info/open-sesame", "GET /secret-info/open-sesame"],
  ])("%s", (text, clean) => {
    expect(redact({ message: text }).json).toEqual({ message: clean });
  });

  test("a text of 200 KiB that was written to be slow costs little", () => {
    const slow = ["eyJ", "password=", "://", "a:", "-----BEGIN ", "bearer "].map((part) =>
      part.repeat(200_000 / part.length),
    );
    const started = performance.now();
    redact({ slow });
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
