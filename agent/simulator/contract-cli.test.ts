import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { runToEnd, type Subject, subjects, Workspace } from "./contract-harness.ts";

const source = `sources: {in: {type: demo_logs, format: json}}`;
const sink = `sinks: {out: {type: blackhole, inputs: [in]}}`;

async function validate(
  subject: Subject,
  config: string,
  args: readonly string[] = ["--no-environment"],
) {
  using workspace = new Workspace();
  workspace.write(config);
  const done = await runToEnd(subject, ["validate", ...args, "--config-yaml", "config.yaml"], {
    cwd: workspace.folder,
  });
  return { ...done, lines: done.stdout.split("\n") };
}

describe.concurrent.each(subjects)("the command line of $name", (subject) => {
  test("tells its version", async ({ expect }) => {
    const { stdout, code } = await runToEnd(subject, ["--version"]);
    expect(stdout).toMatch(/^vector (\d+\.\d+\.\d+)(?:-(\S+))? \((.*)\)\n$/);
    expect(code).toBe(0);
  });

  test("lists its components as JSON", async ({ expect }) => {
    const { stdout, code } = await runToEnd(subject, ["list", "--format", "json"]);
    const listed = JSON.parse(stdout) as Record<string, string[]>;
    expect(code).toBe(0);
    expect(Object.keys(listed)).toEqual(["sources", "transforms", "sinks", "enrichment_tables"]);
    expect(listed["sources"]).toEqual(
      expect.arrayContaining(["demo_logs", "file", "http_server", "internal_metrics", "stdin"]),
    );
    expect(listed["transforms"]).toEqual(expect.arrayContaining(["filter", "remap", "route"]));
    expect(listed["sinks"]).toEqual(
      expect.arrayContaining(["blackhole", "console", "file", "http", "prometheus_exporter"]),
    );
  });

  test.each([
    { args: ["--nope"] },
    { args: ["--graceful-shutdown-limit-secs", "x"] },
    { args: ["--graceful-shutdown-limit-secs", "5", "--no-graceful-shutdown-limit"] },
    { args: ["--require-healthy", "maybe"] },
    { args: ["nope"] },
    { args: ["validate", "--log-format", "json"] },
  ])("refuses $args with code 2", async ({ args }) => {
    const { code, stderr, stdout } = await runToEnd(subject, args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: /);
    expect(stdout).toBe("");
  });

  test("takes only true and false for a switch in the environment", async ({ expect }) => {
    const { code } = await runToEnd(subject, [], { env: { VECTOR_ALLOW_EMPTY_CONFIG: "1" } });
    expect(code).toBe(2);
  });

  test("ends with 78 when the config file is not there", async ({ expect }) => {
    const { code, stdout } = await runToEnd(subject, [
      "--log-format",
      "json",
      "-c",
      "/nowhere/x.yaml",
    ]);
    expect(code).toBe(78);
    expect(stdout).toContain(
      '"message":"Config file not found in path.","path":"\\"/nowhere/x.yaml\\""',
    );
  });

  test("logs text on stderr", async ({ expect }) => {
    const { stderr, stdout } = await runToEnd(subject, ["-c", "/nowhere/x.yaml"]);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^\S+Z {2}INFO vector::app: Log level is enabled\. level="info"$/m);
    expect(stderr).toMatch(
      /^\S+Z ERROR vector::config::loading: Config file not found in path\. path="\/nowhere\/x\.yaml"/m,
    );
  });

  test("panics about a log filter it cannot read", async ({ expect }) => {
    const { code, stderr } = await runToEnd(subject, ["-c", "/nowhere/x.yaml"], {
      env: { VECTOR_LOG: "a=b=c" },
    });
    expect(code).toBe(101);
    expect(stderr).toContain("panicked");
  });
});

describe.concurrent.each(subjects)("validate of $name", (subject) => {
  test("reports a good config", async ({ expect }) => {
    const { lines, code } = await validate(subject, `${source}\n${sink}`);
    expect(lines).toEqual([
      '√ Loaded ["config.yaml"]',
      "√ Transforms configuration",
      "-".repeat(26),
      "Validated".padStart(26),
      "",
    ]);
    expect(code).toBe(0);
  });

  test("builds components and checks health unless told not to", async ({ expect }) => {
    const { lines, code } = await validate(subject, `${source}\n${sink}`, []);
    expect(lines.slice(2, 4)).toEqual(["√ Component configuration", '√ Health check "out"']);
    expect(code).toBe(0);
  });

  test("wants the data_dir", async ({ expect }) => {
    using workspace = new Workspace();
    writeFileSync(workspace.configPath, `data_dir: /nowhere\n${source}\n${sink}`);
    const { stdout, code } = await runToEnd(subject, ["validate", workspace.configPath]);
    expect(stdout).toContain('x data_dir "/nowhere" does not exist\n');
    expect(code).toBe(78);
  });

  test("warns about outputs without a consumer, and fails on them when asked", async ({
    expect,
  }) => {
    const config = `${source}\ntransforms: {r: {type: route, inputs: [in], route: {a: "true"}}}\n${sink}`;
    const warned = await validate(subject, config);
    expect(warned.lines.slice(0, 4)).toEqual([
      'Loaded with warnings ["config.yaml"]',
      "-".repeat(36),
      '~ Transform "r.a" has no consumers',
      '~ Transform "r._unmatched" has no consumers',
    ]);
    expect(warned.code).toBe(0);
    const denied = await validate(subject, config, ["--no-environment", "--deny-warnings"]);
    expect(denied.lines[0]).toBe('Failed to load ["config.yaml"]');
    expect(denied.code).toBe(78);
  });

  test("reports the errors of VRL programs and conditions", async ({ expect }) => {
    const { stdout, code } = await validate(
      subject,
      `${source}
transforms:
  t: {type: remap, inputs: [in], source: ".x = upcase(.message)"}
  f: {type: filter, inputs: [in], condition: ".a"}
  r: {type: route, inputs: [in], route: {q: "foo()"}}
sinks: {out: {type: blackhole, inputs: [t, f, r.q, r._unmatched]}}`,
    );
    expect(code).toBe(78);
    expect(stdout).toContain('√ Loaded ["config.yaml"]\n\nTransform errors\n----------------\n');
    expect(stdout).toContain(
      'x Transform "t": \nerror[E103]: unhandled fallible assignment\n  ┌─ :1:6\n  │\n1 │ .x = upcase(.message)\n',
    );
    expect(stdout).toContain('x Transform "f": VRL conditions must return a boolean.\n');
    expect(stdout).toContain(
      'x Transform "r": route "q": \nerror[E105]: call to undefined function\n',
    );
    expect(stdout).toContain("  = learn more about error code 105 at https://errors.vrl.dev/105\n");
  });

  test.each([
    {
      what: "an empty config",
      config: "",
      errors: ["No sources defined in the config.", "No sinks defined in the config."],
    },
    {
      what: "an unknown type",
      config: `sources: {in: {type: nope}}\n${sink}`,
      errors: [/^sources\.in: unknown variant `nope`, expected one of /],
    },
    {
      what: "a missing type",
      config: `sources: {in: {format: json}}\n${sink}`,
      errors: ["sources.in: missing field `type`"],
    },
    {
      what: "a missing option",
      config: `sources: {in: {type: demo_logs}}\n${sink}`,
      errors: ["sources.in: missing field `format`"],
    },
    {
      what: "a missing nested option",
      config: `${source}\nsinks: {out: {type: console, inputs: [in], encoding: {}}}`,
      errors: ["sinks.out: missing field `codec`"],
    },
    {
      what: "an option of the wrong type",
      config: `sources: {in: {type: demo_logs, format: json, interval: abc}}\n${sink}`,
      errors: ['sources.in: invalid type: string "abc", expected f64'],
    },
    {
      what: "a number where a text belongs",
      config: `${source}\nsinks: {out: {type: file, inputs: [in], path: 5, encoding: {codec: json}}}`,
      errors: ["sinks.out: invalid type: integer `5`, expected a string"],
    },
    {
      what: "an unknown enum value",
      config: `sources: {in: {type: demo_logs, format: xml}}\n${sink}`,
      errors: [/^sources\.in: unknown variant `xml`, expected one of /],
    },
    {
      what: "a negative count",
      config: `${source}\nsinks: {out: {type: blackhole, inputs: [in], print_interval_secs: -1}}`,
      errors: ["sinks.out: invalid value: integer `-1`, expected u64"],
    },
    {
      what: "an unknown option of a strict component",
      config: `${source}\nsinks: {out: {type: blackhole, inputs: [in], foo: 1}}`,
      errors: [/^sinks\.out: unknown field `foo`, expected one of /],
    },
    {
      what: "an unknown top-level key",
      config: `foo: 1\n${source}\n${sink}`,
      errors: ["unknown field `foo`"],
    },
    {
      what: "an unknown key of api",
      config: `api: {foo: 1}\n${source}\n${sink}`,
      errors: ["api.foo: unknown field `foo`, expected `enabled` or `address`"],
    },
    {
      what: "a host name as an address",
      config: `sources: {in: {type: http_server, address: "localhost:80"}}\n${sink}`,
      errors: ["sources.in: invalid socket address syntax"],
    },
    {
      what: "missing inputs",
      config: `${source}\nsinks: {out: {type: blackhole}}`,
      errors: ["sinks.out: missing field `inputs`"],
    },
    {
      what: "inputs that are no list",
      config: `${source}\nsinks: {out: {type: blackhole, inputs: in}}`,
      errors: ['sinks.out.inputs: invalid type: string "in", expected a sequence'],
    },
    {
      what: "empty inputs",
      config: `${source}\nsinks: {out: {type: blackhole, inputs: []}}`,
      errors: ['Sink "out" has no inputs'],
    },
    {
      what: "an unknown input",
      config: `${source}\nsinks: {out: {type: blackhole, inputs: [zz]}}`,
      errors: ['Input "zz" for sink "out" doesn\'t match any components.'],
    },
    {
      what: "a wildcard that matches nothing",
      config: `${source}\nsinks: {out: {type: blackhole, inputs: ["zz*"]}}`,
      errors: ['Input "zz*" for sink "out" doesn\'t match any components.'],
    },
    {
      what: "the default output of a route",
      config: `${source}\ntransforms: {t: {type: route, inputs: [in], route: {a: "true"}}}\nsinks: {out: {type: blackhole, inputs: [t]}}`,
      errors: ['Input "t" for sink "out" doesn\'t match any components.'],
    },
    {
      what: "a duplicate input",
      config: `${source}\nsinks: {out: {type: blackhole, inputs: [in, "i*"]}}`,
      errors: ['Sink "out" has input "in" duplicated 2 times'],
    },
    {
      what: "an id used twice",
      config: `${source}\ntransforms: {in: {type: remap, inputs: [in], source: "."}}\n${sink}`,
      errors: expect.arrayContaining([
        'More than one component with name "in" (source, transform).',
      ]) as unknown,
    },
    {
      what: "an id with a dot",
      config: `sources: {a.b: {type: demo_logs, format: json}}\nsinks: {out: {type: blackhole, inputs: [a.b]}}`,
      errors: ['Component name "a.b" should not contain a "."'],
    },
    {
      what: "event types that do not meet",
      config: `sources: {in: {type: internal_metrics}}\nsinks: {out: {type: console, inputs: [in], encoding: {codec: logfmt}}}`,
      errors: ['Data type mismatch between in (["Metric"]) and out (["Log"])'],
    },
    {
      what: "a cycle",
      config: `${source}\ntransforms: {a: {type: remap, inputs: [in, b], source: "."}, b: {type: remap, inputs: [a], source: "."}}\nsinks: {out: {type: blackhole, inputs: [b]}}`,
      errors: ["Cyclic dependency detected in the chain [ b -> a -> b ]"],
    },
    {
      what: "a port claimed twice",
      config: `sources: {a: {type: http_server, address: "127.0.0.1:80"}, b: {type: http_server, address: "127.0.0.1:80"}}\nsinks: {out: {type: blackhole, inputs: [a, b]}}`,
      errors: [
        /^Resource `tcp 127\.0\.0\.1:80` is claimed by multiple components: \{ComponentKey /,
      ],
    },
  ])("refuses $what", async ({ config, errors }) => {
    const { lines, code } = await validate(subject, config);
    expect(code).toBe(78);
    const [title, underline, ...rest] = lines;
    expect([title, underline]).toEqual(['Failed to load ["config.yaml"]', "-".repeat(30)]);
    const found = rest.filter((line) => line !== "").map((line) => line.replace(/^x /, ""));
    if (!Array.isArray(errors)) expect(found).toEqual(errors);
    else
      expect(found).toEqual(
        errors.map((error) => (typeof error === "string" ? error : expect.stringMatching(error))),
      );
  });

  test("takes an unknown option of a component that is not strict", async ({ expect }) => {
    const { code } = await validate(
      subject,
      `sources: {in: {type: demo_logs, format: json, foo: 1}}\n${sink}`,
    );
    expect(code).toBe(0);
  });

  test("does not resolve secrets", async ({ expect }) => {
    const { stdout, code } = await validate(
      subject,
      `secret: {b: {type: exec, command: ["/nowhere"]}}\nsources: {in: {type: demo_logs, format: shuffle, lines: ["SECRET[b.k]"]}}\n${sink}`,
    );
    expect(stdout).toContain("Validated");
    expect(code).toBe(0);
  });

  test("does not end on signals", async ({ expect }) => {
    using workspace = new Workspace();
    const pipe = workspace.path("pipe.yaml");
    execFileSync("mkfifo", [pipe]);
    const child = spawn(subject.command, ["validate", "--no-environment", pipe], {
      stdio: "ignore",
    });
    const ended = once(child, "exit");
    // Opens when the other side does: from then on it waits for its config.
    const writer = await open(pipe, "w");
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) child.kill(signal);
    await writer.write(`${source}\n${sink}`);
    await writer.close();
    expect(await ended).toEqual([0, null]);
  });
});
