import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadVrl } from "#vrl/vrl.ts";
import { programs } from "#vrl/testing/programs.ts";
import { compilePipeline } from "../compile.ts";
import { markedEvent } from "./event-fields.ts";
import { anyObject } from "./kinds.ts";

const context = { secretNames: new Set<string>(), certificateNames: new Set<string>() };

/** The fields of an output; with a question mark what is not certain. */
function fields(text: string, id: string): Record<string, string> {
  const [key, name = null] = id.split(".");
  const output = compilePipeline(text, context, loadVrl)
    .components.find((component) => component.key === key)
    ?.outputs.find((candidate) => candidate.name === name);
  return Object.fromEntries(
    (output?.fields ?? []).map(({ path, types, certain }) => [
      path,
      `${types.join("|")}${certain ? "" : "?"}`,
    ]),
  );
}

interface Step {
  readonly [option: string]: unknown;
}
const remap = (source: string, more: Step = {}): Step => ({ type: "remap", source, ...more });
const chain = (...steps: readonly Step[]): string =>
  JSON.stringify({
    sources: { in: { type: "demo_logs", format: "json" }, raw: { type: "syslog", mode: "udp" } },
    transforms: Object.fromEntries(
      steps.map((step, index) => [
        `t${index}`,
        { inputs: [index === 0 ? "in" : `t${index - 1}`], ...step },
      ]),
    ),
  });
const source = {
  ".message": "string",
  ".service": "string",
  ".source_type": "string",
  ".timestamp": "timestamp",
};

describe("fields", () => {
  test("of a source are those that it adds itself", () => {
    expect(fields(chain(), "in")).toEqual(source);
    expect(fields(chain(), "raw")).toEqual({});
  });

  test("that a program writes are known behind it, and further on", () => {
    const text = chain(
      remap('.status = 200\n.http.path = "/"'),
      { type: "filter", condition: ".status == 200" },
      remap(".http.code = 1\n.message = 5"),
      { type: "throttle", threshold: 1, window_secs: 1 },
    );
    const first = { ...source, ".http": "object", ".http.path": "string", ".status": "integer" };
    expect(fields(text, "t0")).toEqual(first);
    expect(fields(text, "t1")).toEqual(first);
    expect(fields(text, "t3")).toEqual({
      ...first,
      ".message": "integer",
      ".http.code": "integer",
      // What was in an object may be gone: a program may have replaced the object.
      ".http.path": "string?",
    });
  });

  test("are not certain behind a program that can fail and lets the event go on", () => {
    const source1 = ".status = to_int!(.message)";
    expect(fields(chain(remap(source1)), "t0")).toEqual({ ...source, ".status": "integer?" });
    expect(fields(chain(remap(source1, { drop_on_error: true })), "t0")).toEqual({
      ...source,
      ".status": "integer",
    });
    const aborts = 'if .message == "x" { abort }\n.status = 1';
    expect(fields(chain(remap(aborts)), "t0")[".status"]).toBe("integer");
    expect(fields(chain(remap(aborts, { drop_on_abort: false })), "t0")[".status"]).toBe(
      "integer?",
    );
  });

  test.each([
    ["are not certain when they are deleted", "del(.message)", { ".message": "?" }],
    ["are not certain when a part is deleted", "del(.message.a)", { ".message": "string?" }],
    [
      "are gone when the event is another",
      '. = {"a": 1}',
      { ".message": undefined, ".a": "integer?" },
    ],
    [
      "are unknown when the event is decoded",
      ". = object!(parse_json!(.message))",
      { ".message": undefined },
    ],
    [
      "are not certain when they are perhaps written",
      "if .x == 1 { .service = 5 }",
      { ".service": "string?" },
    ],
    [
      "are not certain behind a loop",
      ". = map_keys(.) -> |key| { upcase(key) }",
      { ".message": "string?" },
    ],
    ["are what is copied", ".message = .other", { ".message": "?" }],
    [
      "are not those of an object that is replaced",
      ".service = object!(parse_json!(.message))",
      { ".service": "object?" },
    ],
    [
      "are not certain when they are merged in",
      ". = merge(., object!(parse_json!(.message)))",
      { ".message": "?" },
    ],
  ])("%s", (_name, program, expected) => {
    const found = fields(chain(remap(program)), "t0");
    for (const [path, types] of Object.entries(expected))
      expect([path, found[path]]).toEqual([path, types]);
  });

  test("of a program that does not compile are unknown", () => {
    expect(fields(chain(remap(".a = 1"), remap(".b = ")), "t1")).toEqual({});
  });

  test("of several inputs hold for all of them", () => {
    const text = chain(
      remap('.a = 1\n.b = "x"', { inputs: ["in"] }),
      remap(".a = true", { inputs: ["in"] }),
      { type: "filter", condition: "true", inputs: ["t0", "t1"] },
      { type: "filter", condition: "true", inputs: ["t0", "raw"] },
    );
    expect(fields(text, "t2")).toEqual({ ...source, ".a": "boolean|integer", ".b": "string?" });
    expect(Object.values(fields(text, "t3")).every((types) => types.endsWith("?"))).toBe(true);
  });

  test("of what is dropped are those of the event before, and why", () => {
    const text = chain(
      remap(".status = 1"),
      remap(".a = to_int!(.message)", { drop_on_error: true, reroute_dropped: true }),
    );
    expect(fields(text, "t1.dropped")).toMatchObject({
      ".status": "integer",
      ".metadata.dropped.reason": "string?",
    });
    expect(fields(text, "t1.dropped")).not.toHaveProperty([".a"]);
    expect(fields(text, "t1")).toMatchObject({ ".a": "integer" });
  });

  test.each([
    ["reduce merges values", { type: "reduce" }, { ".message": "?" }],
    [
      "sample adds its rate",
      { type: "sample", rate: 2 },
      { ".sample_rate": "string?", ".message": "string" },
    ],
    ["lua is not known", { type: "lua", version: "2", hooks: { process: "f" } }, {}],
    [
      "metrics have those of metrics",
      { type: "log_to_metric", metrics: [{ type: "counter", field: "a" }] },
      { ".name": "string?", ".tags": "object?" },
    ],
  ])("%s", (_name, step, expected) => {
    expect(fields(chain(step), "t0")).toMatchObject(expected);
    if (Object.keys(expected).length === 0) expect(fields(chain(step), "t0")).toEqual({});
  });
});

test("what is followed changes nothing of what Vector says", () => {
  const known = {
    types: [],
    object: { known: { message: "any", a: "any" }, unknown: "any" },
  } as const;
  for (const { source: program, condition = false } of programs) {
    const options = { condition, tables: ["users"] };
    const target = [markedEvent({ sure: anyObject, likely: known }, program)];
    const own = loadVrl().check(program, { ...options, target }).diagnostics;
    expect([program, own.map(({ code }) => code)]).toEqual([
      program,
      loadVrl()
        .check(program, options)
        .diagnostics.map(({ code }) => code),
    ]);
  }
});

describe("what fails on every event", () => {
  const said = (...steps: readonly Step[]): readonly string[] =>
    compilePipeline(chain(...steps), context, loadVrl)
      .problems.filter(({ field }) => field === "source" || field === "condition")
      .map(({ severity, componentKey, message }) => `${severity} ${componentKey}: ${message}`);
  const always =
    "VRL warning 110: fails on every event: invalid argument type (this expression resolves to the exact type integer)";

  test("is a warning, although Vector accepts it", () => {
    expect(said(remap(".status = 200"), remap(".a = upcase!(.status)"))).toEqual([
      `warning t1: ${always}`,
    ]);
    const filter = { type: "filter", condition: 'contains!(.status, "5")' };
    expect(said(remap(".status = 200"), filter)).toEqual([`warning t1: ${always}`]);
  });

  test("is none where it may work, or where Vector asks for what is not needed", () => {
    expect(said(remap(".status = to_int!(.message)"), remap(".a = upcase!(.status)"))).toEqual([]);
    expect(said(remap(".status = 200"), remap(".a = to_string!(.status)"))).toEqual([]);
    expect(said(remap(".status = 200"), remap(".status = int!(.status) + 1"))).toEqual([]);
  });
});

const schemas = "schema: {enabled: true}\n";
const typed = `sources:
  in: {type: demo_logs, format: json}
transforms:
  one: {type: remap, inputs: [in], source: .status = 1}
  two: {type: remap, inputs: [one], source: .next = .status + 1}
sinks:
  out: {type: blackhole, inputs: [two]}
`;

test("kinds count for programs where Vector's schemas are on", () => {
  const said = (text: string) => compilePipeline(text, context, loadVrl).problems;
  expect(said(typed)).toMatchObject([{ severity: "error", componentKey: "two" }]);
  expect(said(schemas + typed)).toEqual([]);
  expect(said((schemas + typed).replace(".status +", ".other +"))).toMatchObject([
    { severity: "warning", message: expect.stringMatching(/Vector decides/) as string },
  ]);
});

test("what programs leave alone is known where Vector's schemas are on, as anywhere", () => {
  expect(fields(schemas + typed, "one")).toEqual({ ...source, ".status": "integer" });
  expect(fields(schemas + typed, "two")).toEqual({
    ...source,
    ".status": "integer",
    ".next": "integer",
  });
  // What is proposed without being certain is proposed still.
  const text = chain({ type: "reduce" }, remap(".x = 1"));
  const configuration = JSON.parse(text) as object;
  const schemasOn = JSON.stringify({ ...configuration, schema: { enabled: true } });
  expect(fields(schemasOn, "t1")).toEqual(fields(text, "t1"));
  expect(fields(text, "t1")).toHaveProperty([".message"]);
});

const vector = process.env["VECTOR_BIN"];

function validate(config: string): { readonly status: number | null; readonly said: string } {
  const folder = mkdtempSync(join(tmpdir(), "event-fields-"));
  try {
    const path = join(folder, "vector.yaml");
    writeFileSync(path, config);
    const { status, stdout } = spawnSync(vector ?? "", ["validate", "--no-environment", path], {
      encoding: "utf8",
    });
    return { status, said: stdout };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.skipIf(vector === undefined)("a real Vector", () => {
  test("follows kinds only where its schemas are on", () => {
    expect(validate(typed).status).toBe(78);
    expect(validate(schemas + typed).status).toBe(0);
  });

  test.each([
    ["demo_logs", "format: json"],
    ["exec", "mode: streaming, command: [ls]"],
    ["file", "include: [/x]"],
    ["http_server", 'address: "127.0.0.1:1"'],
    ["internal_logs", ""],
    ["socket", 'mode: tcp, address: "127.0.0.1:1"'],
    ["stdin", ""],
  ])("has the same fields in the events of %s", (type, options) => {
    const body = `{type: ${type}${options === "" ? "" : `, ${options}`}}`;
    const own = fields(`sources:\n  in: ${body}\n`, "in");
    expect(Object.keys(own)).toContain(".message");
    for (const [path, types] of Object.entries(own)) {
      const program = `.x = ${types.startsWith("string") ? "to_unix_timestamp" : "upcase"}(${path})`;
      const { said } = validate(
        `${schemas}sources:\n  in: ${body}\ntransforms:\n  t: {type: remap, inputs: [in], source: ${JSON.stringify(program)}}\nsinks:\n  out: {type: blackhole, inputs: [t]}\n`,
      );
      const exact = types.replace("?", "");
      const expected = types.endsWith("?")
        ? `one of ${exact} or undefined`
        : `the exact type ${exact}`;
      expect([path, /resolves to (.*)/.exec(said)?.[1]]).toEqual([path, expected]);
    }
  });
});
