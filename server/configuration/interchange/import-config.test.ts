import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { exportConfig } from "./export-config.ts";
import { maximumPipelineBytes } from "#common/pipeline-size.ts";
import { importConfig } from "./import-config.ts";

const files = (given: Readonly<Record<string, string>>) =>
  Object.entries(given).map(([path, text]) => ({ path, content: new TextEncoder().encode(text) }));
const imported = (given: Readonly<Record<string, string>>) => importConfig(files(given));
const problemsOf = (given: Readonly<Record<string, string>>) =>
  imported(given).problems.map(({ path, line, message }) => `${path}:${line} ${message}`);

const realYaml = `# Web servers, see the wiki
data_dir: /var/lib/vector  # was on its own disk
timezone: Europe/Berlin

api:
  enabled: true
  address: 127.0.0.1:8686

enrichment_tables:
  hosts: {type: file, file: {path: /etc/vector/hosts.csv, encoding: {type: csv}}}

sources:
  nginx:
    type: file
    include: &paths
      - /var/log/nginx/*.log   # all of them
    read_from: beginning
    unknown_option: kept
  other:
    type: file
    include: *paths

transforms:
  parse:
    type: remap
    inputs: [nginx, "oth*"]
    source: |-
      # a comment of VRL
      . |= parse_nginx_log!(.message, "combined")
      .path = replace(.path, r'\\d+', "$$id")
      .size = 0x10

sinks:
  # Where it all goes
  es:
    type: elasticsearch
    inputs: ["*"]
    endpoints: ["https://\${ES_HOST}:9200"]
    auth: {strategy: basic, user: me, password: "SECRET[vault.es]"}

secret:
  vault: {type: exec, command: [/usr/bin/get]}

tests:
  - name: parses
    inputs: [{insert_at: parse, type: log, log_fields: {message: x}}]
    no_outputs_from: [parse.dropped]
`;

const realToml = `# Web servers
data_dir = "/var/lib/vector"
timezone = "local" # of the host

# Reads the journal
[sources.journal]
type = "file"
max_line_bytes = 16_384
include = [
  # noisy
  "/var/log/cron.log",
  "/var/log/sshd.log", # also
]

[transforms.parse] # from the old system
type = "remap"
inputs = ["jour*"]
source = '''
# a comment of VRL
.code = "\\d $$"
'''

[sinks.out]
type = "console"
inputs = ["parse"]
encoding.codec = "json"
healthcheck = { enabled = false }
rate = 1.0

# First
[[tests]]
name = "one"
[[tests.inputs]]
insert_at = "parse"
# The end
`;

describe("a file", () => {
  test("of YAML stays as it was written, but for what VectorFlow sets", () => {
    const { yaml, name, notices, problems } = imported({ "vector.yaml": realYaml });
    expect(problems).toEqual([]);
    expect(name).toBe("vector");
    expect(yaml).toBe(
      realYaml
        .replace(/data_dir.*\n/, "")
        .replace(/api:\n.*\n.*\n/, "")
        .replace(/secret:\n.*\n/, ""),
    );
    expect(notices.map(({ message }) => message.split(/[:;]/, 1)[0])).toEqual([
      "data_dir is taken out",
      "api is taken out",
      "secret is taken out",
      "${ES_HOST} stays as it is written",
    ]);
  });

  test("of TOML keeps its comments, and what it says", () => {
    const { yaml, problems } = imported({ "vector.toml": realToml });
    expect(problems).toEqual([]);
    expect(yaml).toMatchInlineSnapshot(`
      "# Web servers
      timezone: local # of the host
      sources:
        # Reads the journal
        journal:
          type: file
          max_line_bytes: 16384
          include:
            # noisy
            - /var/log/cron.log
            - /var/log/sshd.log # also
      transforms:
        # from the old system
        parse:
          type: remap
          inputs:
            - jour*
          source: |
            # a comment of VRL
            .code = "\\d $$"
      sinks:
        out:
          type: console
          inputs:
            - parse
          encoding:
            codec: json
          healthcheck:
            enabled: false
          rate: 1.0
      tests:
        # First
        - name: one
          inputs:
            - insert_at: parse

      # The end
      "
    `);
    expect(imported({ "a.yaml": yaml }).yaml).toBe(yaml);
  });

  test("of JSON becomes YAML in block style", () => {
    const { yaml } = imported({
      "vector.json": `{"sources": {"in": {"type": "demo_logs", "interval": 1.0, "count": 9007199254740993,
        "lines": ["0123", "a\\nb"]}}, "sinks": {}}`,
    });
    expect(yaml).toBe(`sources:
  in:
    type: demo_logs
    interval: 1.0
    count: 9007199254740993
    lines:
      - "0123"
      - |-
        a
        b
sinks: {}
`);
  });

  test("whose other parts refer to what is taken out has it unfolded", () => {
    const { yaml } = imported({
      "a.yaml": "data_dir: &d /data\nsources:\n  in: {type: file, include: [*d]}\n",
    });
    expect(yaml).not.toContain("data_dir");
    expect(yaml).toMatch(/\/data/);
    expect(yaml).not.toMatch(/[*&]/);
  });

  test("that was pasted is what it looks like", () => {
    expect(imported({ "": '{"timezone": "local"}' }).yaml).toBe("timezone: local\n");
    expect(imported({ "": '[sources.in]\ntype = "stdin"\n' }).yaml).toBe(
      "sources:\n  in:\n    type: stdin\n",
    );
    expect(imported({ "": "sources: {in: {type: stdin}}\n" }).yaml).toBe(
      "sources: {in: {type: stdin}}\n",
    );
  });

  test("environment variables are pointed out as Vector writes them, and patterns are none", () => {
    const { notices } = imported({
      "a.yaml": "a: $ES_PASS ${HOME:-x}\nb: $$NOT ${x}\nc: \"r'^a$'\"\n",
    });
    expect(notices.map(({ message }) => message.split(" stay")[0])).toEqual([
      "$ES_PASS, ${HOME}, ${x}",
    ]);
  });

  test("what refers to something that is taken out keeps it, with all that stands around", () => {
    const { yaml } = imported({
      "a.yaml": `data_dir: &dir /x
secret: {own: &own {a: &deep [1], b: 2}}
sources: # mine
  a: {type: file, include: [b], data_dir: *dir} # keep me
  b:
    # merged
    <<: *own
    c: *deep
`,
    });
    expect(yaml).toBe(`sources:
  # mine
  a: {type: file, include: [b], data_dir: /x} # keep me
  b:
    # merged
    <<: {a: [1], b: 2}
    c: [1]
`);
  });

  test("numbers and texts that parsers read otherwise than Vector are settled", () => {
    const { yaml } = imported({ "a.yaml": "a: 0123 # zip\nb: 0b11\nc: -0x1\nd: '0123'\ne: 0x1\n" });
    expect(yaml).toBe("a: \"0123\" # zip\nb: 3\nc: -1\nd: '0123'\ne: 0x1\n");
  });
});

describe("a folder", () => {
  const folder = {
    "vector/vector.yaml": "# Global\ntimezone: local\nhealthchecks: {enabled: true}\n",
    "vector/more.toml": '[healthchecks]\nenabled = false\n[[tests]]\nname = "t1"\n',
    "vector/sources/in.yaml": "# The way in\ntype: demo_logs\nformat: json\n",
    "vector/transforms/parse.toml": 'type = "filter"\ninputs = ["in"]\n',
    "vector/transforms/parse/condition.yaml": "type: vrl\nsource: 'true'\n",
    "vector/sinks/out.json": '{"type": "blackhole", "inputs": ["*"]}',
    "vector/tests/second.yaml": "name: t2\n",
  };

  test("is merged as Vector merges it", () => {
    const { yaml, name, notices, problems } = imported(folder);
    expect(problems).toEqual([]);
    expect(notices).toEqual([]);
    expect(name).toBe("vector");
    expect(yaml).toMatchInlineSnapshot(`
      "healthchecks:
        enabled: false
      # Global
      timezone: local
      sources:
        in:
          # The way in
          type: demo_logs
          format: json
      transforms:
        parse:
          type: filter
          inputs:
            - in
          condition:
            type: vrl
            source: 'true'
      sinks:
        out:
          type: blackhole
          inputs:
            - "*"
      tests:
        - name: t1
        - name: t2
      "
    `);
  });

  test("says which files are left out, and why", () => {
    const { notices } = imported({
      ...folder,
      "vector/README.md": "x",
      "vector/vrl/a.yaml": "x: 1",
      "vector/sources/sub/b.yaml": "type: x",
    });
    expect(notices.map(({ path, message }) => `${path} ${message}`)).toEqual([
      "vector/README.md left out: it is no .yaml, .toml or .json file",
      "vector/sources/sub/b.yaml left out: Vector looks into no folder below sources",
      "vector/vrl/a.yaml left out: Vector does not look into the folder vrl",
    ]);
  });

  test("names what is there twice or disagrees", () => {
    expect(
      problemsOf({
        ...folder,
        "vector/sinks/out.yaml": "type: console\n",
        "vector/a.yaml": "timezone: UTC\nsources: {in: {type: stdin}}\ntests: [{name: t2}]\n",
      }),
    ).toEqual([
      "vector/sinks/out.yaml:0 there is a sink named out in vector/sinks/out.json too",
      "vector/sources/in.yaml:0 there is a source named in in vector/a.yaml too",
      "vector/tests/second.yaml:0 there is a test named t2 in vector/a.yaml too",
      "vector/vector.yaml:0 the option timezone has another value in vector/a.yaml",
    ]);
  });

  test("what its files say of one component is put together", () => {
    const { yaml, notices, problems } = imported({
      "v/a.yaml": "sinks: {out: {type: blackhole, inputs: [a]}}\n",
      "v/b.yaml": "sinks:\n  out: # more\n    type: blackhole\n    rate: 1\n    inputs: [b]\n",
      "v/transforms/deep/t.yaml": "type: filter\n",
    });
    expect(problems).toEqual([]);
    expect(yaml).toBe(
      "transforms:\n  deep:\n    t:\n      type: filter\nsinks:\n  out: {type: blackhole, inputs: [a, b], rate: 1}\n",
    );
    expect(notices.map(({ message }) => message)).toEqual([
      "sinks.out.inputs has what v/a.yaml says and, behind it, what v/b.yaml says",
    ]);
    expect(
      problemsOf({ "a.yaml": "sinks: {o: {type: x}}\n", "b.yaml": "sinks: {o: {type: y}}\n" }),
    ).toEqual(["b.yaml:0 the option sinks.o.type has another value in a.yaml"]);
  });

  test("sections that are empty in one file are those of the others", () => {
    const { yaml, problems } = imported({
      "a.yaml": "sources:\nsinks:\ntests:\n",
      "b.yaml": "sources: {in: {type: stdin}}\n",
    });
    expect([problems, yaml]).toEqual([[], "sources:\n  in: {type: stdin}\n"]);
  });

  test("anchors of different files that have one name stay apart", () => {
    const { yaml } = imported({
      "a.yaml": "sources: {a: {type: file, include: &x [/a], exclude: *x}}\n",
      "b.yaml": "sources: {b: {type: file, include: &x [/b], exclude: *x}}\n",
    });
    const { text } = exportConfig(yaml, "json") as { text: string };
    expect(JSON.parse(text)).toEqual({
      sources: {
        a: { type: "file", include: ["/a"], exclude: ["/a"] },
        b: { type: "file", include: ["/b"], exclude: ["/b"] },
      },
    });
  });
});

describe("what cannot be read says why, and where", () => {
  const bomb = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"];
  for (let level = 1; level < 9; level += 1) {
    const before = Array.from({ length: 9 }, () => `*a${level - 1}`).join();
    bomb.push(`a${level}: &a${level} [${before}]`);
  }
  test.each([
    ["a.yaml", "a: 1\nb:\n  c: 1\n  c: 2\n", ":4 the key c is there twice"],
    ["a.json", '{"a": 1,\n "a": 2}', ":2 the key a is there twice"],
    ["a.toml", "a = 1\na = 2\n", ":2 a key is there twice"],
    ["a.toml", "a = \n", ":1 "],
    ["a.json", '{"a": 1,\n}', ":2 it is no JSON"],
    ["a.yaml", "a: [1\nb: 2\n", "Flow sequence"],
    ["a.yaml", "- a\n", "it must be a map"],
    ["a.yaml", "a: 1\n---\nb: 2\n", "a.yaml:2 there is a second document"],
    ["a.yaml", "a: 9223372036854775807\nb: 9223372036854775808\n", ":2 9223372036854775808 is too"],
    ["a.yaml", bomb.join("\n"), "it cannot be unfolded: Excessive alias count"],
    ["a.yaml", "[".repeat(20_000), "a.yaml:"],
    ["a.toml", `a = ${"[".repeat(100_000)}`, "a.toml:"],
    ["a.yaml", `a: ${"x".repeat(maximumPipelineBytes)}`, "at most 5 MB"],
    [
      "a.json",
      `${'{"a":'.repeat(80)}[${'"x",'.repeat(40_000)}"x"]${"}".repeat(80)}`,
      "as YAML it has",
    ],
    ["a.txt", "", "there is no"],
  ])("%s", (path, text, expected) => {
    const given = path === "a.txt" ? { [path]: text, "b.txt": "" } : { [path]: text };
    expect(problemsOf(given).join("\n")).toContain(expected);
    expect(imported(given).yaml).toBe("");
  });

  test("bytes that are no UTF-8", () => {
    const { problems } = importConfig([{ path: "a.yaml", content: new Uint8Array([0xff, 0xfe]) }]);
    expect(problems).toEqual([{ path: "a.yaml", line: 0, message: "it is not UTF-8 text" }]);
  });
});

describe("an export", () => {
  test("writes programs of several lines as they are, and says what TOML lacks", () => {
    const made = exportConfig("a: |\n  .x = r'\\d'\nb: ~\nc: 1e3\nd: 1\n# why\n", "toml");
    expect(made).toEqual({
      kind: "exported",
      text: "a = '''\n.x = r'\\d'\n'''\nc = 1000.0\nd = 1\n",
      notices: ["comments are left out", "options without a value are left out: b"],
    });
    expect(exportConfig("a: [~]\n", "toml")).toMatchObject({ kind: "impossible" });
    expect(exportConfig("a: .inf\n", "json")).toMatchObject({
      kind: "impossible",
      message: "JSON has no number as that of a",
    });
  });
});

// What a real Vector makes of a file before and after; the stand-in has no such command.
const vector = process.env["VECTOR_BIN"];
test.skipIf(vector === undefined)("a real Vector reads the same out of all forms", () => {
  const folder = mkdtempSync(join(tmpdir(), "vectorflow-import-"));
  try {
    const read = (path: string, text: string): unknown => {
      writeFileSync(join(folder, path), text);
      // It writes nothing when both formats are the same.
      const format = path.endsWith(".json") ? "yaml" : "json";
      const out = join(folder, `out.${format}`);
      rmSync(out, { force: true });
      const args = ["convert-config", join(folder, path), out, "--output-format", format];
      execFileSync(vector ?? "", args, { stdio: "pipe" });
      return parse(readFileSync(out, "utf8"));
    };
    const { yaml } = imported({ "vector.toml": realToml.replace("rate = 1.0\n", "") });
    const forms = (["yaml", "toml", "json"] as const).map((format) => {
      const made = exportConfig(yaml, format);
      if (made.kind === "impossible") throw new Error(made.message);
      return read(`made.${format}`, made.text);
    });
    const original = read("vector.toml", realToml.replace(/data_dir.*\n|rate = 1.0\n/g, ""));
    expect(forms).toEqual([original, original, original]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
