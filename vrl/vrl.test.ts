import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import manifest from "./module/manifest.json" with { type: "json" };
import { programs, type ProgramCase } from "./testing/programs.ts";
import { loadVrl, type VrlChecked } from "./vrl.ts";

const vrl = loadVrl();
const check = ({ source, condition }: ProgramCase): VrlChecked =>
  vrl.check(source, { condition: condition === true, tables: ["users"] });
const codes = ({ diagnostics }: VrlChecked, severity: string): readonly number[] =>
  diagnostics.filter((diagnostic) => diagnostic.severity === severity).map(({ code }) => code);

test("the module is the one that was built", () => {
  const module = brotliDecompressSync(
    readFileSync(join(import.meta.dirname, "module/vrl.wasm.br")),
  );
  expect(createHash("sha256").update(module).digest("hex")).toBe(manifest.sha256);
  const lock = readFileSync(join(import.meta.dirname, "Cargo.lock"), "utf8");
  expect(lock).toContain(`name = "vrl"\nversion = "${manifest.vrl}"`);
});

test.each(programs.map((program) => ({ name: JSON.stringify(program.source), ...program })))(
  "says of $name what Vector says",
  (program) => {
    const checked = check(program);
    expect(codes(checked, "error")).toEqual(program.errors ?? []);
    expect(codes(checked, "warning")).toEqual(program.warnings ?? []);
  },
);

const vector = process.env["VECTOR_BIN"];

/** What a real Vector writes when it validates a pipeline with these programs, each in a transform of its own. */
function validate(cases: readonly ProgramCase[], ...flags: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "vrl-contract-"));
  try {
    const transforms = cases.map(({ source, condition }, index) => [
      `t${index}`,
      condition === true
        ? { type: "filter", inputs: ["in"], condition: source }
        : { type: "remap", inputs: ["in"], source },
    ]);
    const table = { path: join(folder, "users.csv"), encoding: { type: "csv" } };
    writeFileSync(table.path, "id,name\n1,a\n");
    const config = {
      data_dir: folder,
      enrichment_tables: { users: { type: "file", file: table, schema: { id: "integer" } } },
      sources: { in: { type: "demo_logs", format: "json" } },
      transforms: Object.fromEntries(transforms) as unknown,
      sinks: { out: { type: "blackhole", inputs: ["t*"] } },
    };
    const path = join(folder, "vector.json");
    writeFileSync(path, JSON.stringify(config));
    const { stdout, stderr } = spawnSync(
      vector ?? "",
      ["--color", "never", "--log-format", "json", "validate", ...flags, path],
      { encoding: "utf8" },
    );
    return stdout + stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.skipIf(vector === undefined)("a real Vector", () => {
  test("reports the same errors, letter by letter", () => {
    const [, ...said] = validate(programs, "--no-environment").split(/^x Transform "t(\d+)": /m);
    const reports: Record<string, string> = {};
    for (let at = 0; at < said.length; at += 2) {
      const report = said[at + 1]?.split(/^\{"timestamp"/m, 1)[0] ?? "";
      reports[programs[Number(said[at])]?.source ?? ""] = report.trim();
    }
    const own = programs.map((program) => [program.source, check(program).report.trim()] as const);
    expect(Object.fromEntries(own.filter(([, report]) => report !== ""))).toEqual(reports);
  });

  test("warns of the same programs", () => {
    // One of them has a schema on the host.
    const cases = programs.filter(({ errors, source }) => !errors && !source.includes("/tmp/"));
    const output = validate(cases);
    expect(output).toContain("Validated");
    const warned: Record<string, readonly number[]> = {};
    for (const line of output
      .split("\n")
      .filter((text) => text.includes("VRL compilation warning"))) {
      const entry = JSON.parse(line) as { warnings: string; span: { component_id: string } };
      const source = cases[Number(entry.span.component_id.slice(1))]?.source ?? "";
      warned[source] = [...entry.warnings.matchAll(/^warning\[E(\d+)\]/gm)].map(([, code]) =>
        Number(code),
      );
    }
    const own = cases.map((program) => [program.source, codes(check(program), "warning")] as const);
    expect(Object.fromEntries(own.filter(([, list]) => list.length > 0))).toEqual(warned);
  });
});

describe("spans", () => {
  test("are bytes of UTF-8", () => {
    const source = '."é" = "ü😀"\n.x = upcase(.message)';
    const [label] = vrl.check(source).diagnostics[0]?.labels.filter(({ primary }) => primary) ?? [];
    const [from, to] = label?.span ?? [0, 0];
    expect(Buffer.from(source).subarray(from, to).toString()).toBe("upcase(.message)");
  });
});

describe("kinds", () => {
  test("tell what the event is after a program", () => {
    const { target } = vrl.check('.status = to_int!(.status)\n.http.path = "x"\ndel(.a)');
    expect(target).toEqual({
      types: [],
      object: {
        known: {
          http: expect.objectContaining({
            object: expect.objectContaining({ known: { path: { types: ["bytes"] } } }),
          }),
          status: { types: ["integer"] },
        },
        unknown: "any",
      },
    });
  });

  test.each([
    ".status = to_int!(.status)",
    '. = {"a": [1, "x", {"b": now()}], "c": null}',
    ". |= parse_syslog!(string!(.message))",
    ".list = [1, 2]\n.list[5] = true",
    ". = parse_json!(string!(.message))",
  ])("go out and come back as they were: %s", (source) => {
    const { target } = vrl.check(source);
    expect(target).toBeDefined();
    expect(vrl.check("null", { target: target === undefined ? [] : [target] }).target).toEqual(
      target,
    );
  });

  test("of several inputs are joined", () => {
    const kinds = ['. = {"a": 1}', '. = {"a": "x", "b": true}'].flatMap(
      (source) => vrl.check(source).target ?? [],
    );
    expect(vrl.check("null", { target: kinds }).target).toEqual({
      types: [],
      object: {
        known: { a: { types: ["bytes", "integer"] }, b: { types: ["boolean", "undefined"] } },
      },
    });
  });

  test("of the input are known to the program", () => {
    const { target } = vrl.check(".status = to_int!(.status)");
    const next = ".next = .status + 1";
    expect(codes(vrl.check(next), "error")).toEqual([103]);
    expect(
      codes(vrl.check(next, { target: target === undefined ? [] : [target] }), "error"),
    ).toEqual([]);
  });
});

describe("run", () => {
  test("gives the event and the value of the program", () => {
    const ran = vrl.run('.b = .a + 1 ?? 0\n%m = "x"\n.b', {
      events: [{ value: { a: 1 } }, { value: { a: "x" } }],
    });
    const about = { kind: "done", metadata: { m: "x" }, secrets: {} };
    expect(ran).toEqual({
      outcomes: [
        { ...about, value: { a: 1, b: 2 }, result: 2 },
        { ...about, value: { a: "x", b: 0 }, result: 0 },
      ],
    });
  });

  test("keeps timestamps apart from texts", () => {
    const at = { $date: "2024-01-02T03:04:05Z" };
    const ran = vrl.run(".is = is_timestamp(.at)\n.next = now()", {
      events: [{ value: { at } }, { value: { at: "x" } }],
    });
    expect(ran).toMatchObject({
      outcomes: [
        { value: { at, is: true, next: { $date: expect.stringMatching(/^20\d\d-/) as string } } },
        { value: { at: "x", is: false } },
      ],
    });
  });

  test.each([
    ["an error", '.x = parse_json!("{")', "error", /parse/],
    ["an abort", 'abort "no more"', "abort", /no more/],
    ["the name of the host", ".h = get_hostname!()", "error", /not available here/],
    ["the network", '.h = dns_lookup!("localhost")', "error", /not available here/],
    ["a table", '.r = get_enrichment_table_record!("t", {"a": 1}) ', "error", /not available here/],
    ["a file", '.r = parse_proto!("", "/etc/passwd", "x") ', "error", /not available here/],
    [
      "a list of suffixes",
      '.r = parse_etld!("a.b", psl: "/etc/passwd")',
      "error",
      /not available here/,
    ],
    ["the environment", '.r = get_env_var!("PATH")', "error", /environment variable not found/],
  ])("says how it ended: %s", (_name, source, kind, message) => {
    expect(vrl.run(source, { events: [{ value: {} }] })).toMatchObject({
      outcomes: [{ kind, message: expect.stringMatching(message) as string }],
    });
  });

  test("says of a program that does not compile why", () => {
    expect(vrl.run(".x = ", { events: [] })).toEqual({
      error: expect.stringContaining("error[E204]") as string,
    });
  });

  test("carries metadata and secrets of each event apart, in and out", () => {
    const source = '.before = [get_secret("a"), %n]\nset_secret("a", "1")\n%n = 1';
    const secrets = { a: "0", b: "2" };
    const events = [{ value: {} }, { value: {}, metadata: { n: 5 }, secrets }];
    expect(vrl.run(source, { events })).toMatchObject({
      outcomes: [
        { value: { before: [null, null] }, metadata: { n: 1 }, secrets: { a: "1" } },
        { value: { before: ["0", 5] }, metadata: { n: 1 }, secrets: { a: "1", b: "2" } },
      ],
    });
  });

  test("gives the program's own words as the reason of a failure", () => {
    const events = [{ value: {} }];
    expect(vrl.run('assert!(false, "mine")', { events })).toMatchObject({
      outcomes: [{ kind: "error", message: expect.stringContaining("assert"), reason: "mine" }],
    });
    expect(vrl.run('abort "mine"', { events })).toMatchObject({
      outcomes: [{ kind: "abort", reason: "mine" }],
    });
  });

  test.each([
    ["Asia/Tokyo", "2026-01-01T15:00:00Z"],
    ["America/New_York", "2026-01-02T05:00:00Z"],
    ["local", "2026-01-02T00:00:00Z"],
    [undefined, "2026-01-02T00:00:00Z"],
  ])("reads times that name no zone in %s", (timezone, at) => {
    const ran = vrl.run('parse_timestamp!("2026-01-02 00:00:00", "%F %T")', {
      events: [{ value: {} }],
      ...(timezone === undefined ? {} : { timezone }),
    });
    expect(ran).toMatchObject({ outcomes: [{ result: { $date: at } }] });
  });
});

test.each([
  ["Europe/Berlin", true],
  ["UTC", true],
  ["local", true],
  ["", true],
  ["Europe/Nowhere", false],
  ["europe/berlin", false],
])("knows the time zones that Vector knows: %s", (name, known) => {
  expect(vrl.isTimeZone(name)).toBe(known);
});

test("has the functions that Vector registers besides those of the crate", () => {
  expect(vrl.functionNames()).toEqual(
    expect.arrayContaining(["get_secret", "parse_dnstap", "find_vector_metrics", "parse_yaml"]),
  );
  expect(vrl.functionNames().toSorted()).toEqual([...new Set(vrl.functionNames())].toSorted());
});

test("parse_dnstap has the kinds that Vector gives it", () => {
  const source = ".header = to_string(parse_dnstap!(string!(.message)).header.qr)";
  expect(codes(vrl.check(source), "error")).toEqual([]);
  const unknown = ".x = upcase(parse_dnstap!(string!(.message)).header.qr)";
  expect(codes(vrl.check(unknown), "error")).toEqual([110]);
});
