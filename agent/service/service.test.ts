import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dataDirOf } from "../commands/uninstall.ts";
import { selfCommand } from "../self-command.ts";
import { decide, withoutValues, type WantedFile } from "./install-plan.ts";
import { lineDiff } from "./line-diff.ts";
import { environmentLine, quoteArgument, renderUnit } from "./unit.ts";

const options = {
  drainSecs: 60,
  command: ["/usr/local/bin/vectorflow-agent", "run", "--server", "https://vf.example.com"],
  environmentFile: "/etc/vectorflow-agent/agent.env",
  dataDir: "/var/lib/vectorflow-agent",
};

describe("renderUnit", () => {
  test("is a unit that systemd takes without a word", async ({ skip }) => {
    if (spawnSync("systemd-analyze", ["--version"]).status !== 0) skip("there is no systemd here");
    const folder = await mkdtemp(join(tmpdir(), "vectorflow-unit-"));
    const file = join(folder, "vectorflow-agent.service");
    // systemd looks whether the executable is there.
    await writeFile(file, renderUnit({ ...options, command: ["/bin/sh", "-c", "50% of $HOME"] }));
    const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", file], {
      encoding: "utf8",
      env: { ...process.env, SYSTEMD_LOG_LEVEL: "warning" },
    });
    const own = `${stdout}${stderr}`
      .split("\n")
      .filter((line) => line.includes("vectorflow"))
      // Known from systemd 254 on; older ones say that they ignore it.
      .filter((line) => !/Unknown key(?: name)? 'DelegateSubgroup'/.test(line));
    expect({ status, own }).toEqual({ status: 0, own: [] });
    await rm(folder, { recursive: true });
  });

  test("leaves Vector what it needs", () => {
    const unit = renderUnit(options);
    for (const line of [
      "Restart=always",
      "KillMode=process",
      "Delegate=yes",
      "OOMPolicy=continue",
      "StartLimitIntervalSec=0",
      "NoNewPrivileges=yes",
    ]) {
      expect(unit.split("\n")).toContain(line);
    }
    // Each of these takes away something that pipelines do: logs in /tmp and /home, cgroups, V8's own code.
    expect(unit).not.toMatch(
      /^(PrivateTmp|ProtectHome|ProtectControlGroups|MemoryDenyWriteExecute|PrivateNetwork|DynamicUser)=/m,
    );
    expect(unit).toMatch(/^CapabilityBoundingSet=.*CAP_NET_BIND_SERVICE/m);
  });

  test.each([
    ["plain-1.0/x", "plain-1.0/x"],
    ["50%", "50%%"],
    ["a b", '"a b"'],
    ['say "hi"\\', '"say \\"hi\\"\\\\"'],
    ["$HOME", "$$HOME"],
    ["a;b", '"a;b"'],
  ])("quotes %s as %s", (text, quoted) => {
    expect(quoteArgument(text)).toBe(quoted);
  });

  test("refuses what would begin a line of its own", () => {
    expect(() => quoteArgument("x\nExecStartPre=/bin/evil")).toThrow(/control/);
    expect(() => environmentLine("X", "a\nB=c")).toThrow(/control/);
    expect(environmentLine("X", 'a"b$c`d\\')).toBe('X="a\\"b\\$c\\`d\\\\"');
  });
});

describe("decide", () => {
  const text = (content: string): WantedFile => ({
    path: "/x",
    mode: 0o644,
    content: { kind: "text", text: content, isSecret: false },
  });
  const binary: WantedFile = {
    path: "/x",
    mode: 0o755,
    content: { kind: "executable", source: "/self", version: "1.2.0" },
  };

  test("makes what is missing and leaves what is the same", () => {
    expect(decide(text("a"), undefined, false)).toEqual({ kind: "create" });
    expect(decide(text("a"), { kind: "text", text: "a" }, true)).toEqual({ kind: "same" });
  });

  test("keeps what differs, with a diff, unless it is forced (A16)", () => {
    const kept = decide(text("a\nb\n"), { kind: "text", text: "a\nc\n" }, false);
    expect(kept).toEqual({ kind: "keep", why: "  a\n- c\n+ b" });
    expect(decide(text("a\nb\n"), { kind: "text", text: "a\nc\n" }, true).kind).toBe("replace");
  });

  test("never shows a secret in a diff (X4)", () => {
    const secret: WantedFile = {
      path: "/x",
      mode: 0o600,
      content: { kind: "text", text: 'VECTORFLOW_ENROLLMENT_TOKEN="vfe_new"\n', isSecret: true },
    };
    const old = { kind: "text", text: 'VECTORFLOW_ENROLLMENT_TOKEN="vfe_old"\nA=1\n' } as const;
    const decision = decide(secret, old, false);
    expect(decision).toMatchObject({ kind: "keep" });
    expect(JSON.stringify(decision)).not.toMatch(/vfe_/);
    expect(withoutValues("HTTPS_PROXY=http://u:p@x\nA=1")).toBe('HTTPS_PROXY="…"\nA=1');
  });

  test.each([
    ["1.1.9", false, "replace"],
    ["1.2.0", false, "keep"],
    ["1.3.0", false, "keep"],
    ["1.3.0", true, "replace"],
    [undefined, false, "keep"],
  ])("with version %s there and force %s, it would %s", (version, force, kind) => {
    const present = { kind: "executable", isSame: false, version } as const;
    expect(decide(binary, present, force).kind).toBe(kind);
  });
});

test("shows changed lines with a little around them", () => {
  const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
  const changed = lines.with(10, "another").join("\n");
  expect(lineDiff(lines.join("\n"), changed).split("\n")).toEqual([
    "  line 8",
    "  line 9",
    "- line 10",
    "+ another",
    "  line 11",
    "  line 12",
    "  …",
  ]);
  expect(lineDiff("a\n", "a")).toBe("");
});

test("reads the data directory back from a unit", () => {
  for (const dataDir of ["/var/lib/vectorflow-agent", '/srv/a b/50% "x"/$y']) {
    const command = [...options.command, "--data-dir", dataDir, "--health-listen", "off"];
    expect(dataDirOf(renderUnit({ ...options, command }))).toBe(dataDir);
  }
  expect(dataDirOf("[Unit]\n")).toBeUndefined();
});

describe("the commands, below another root", () => {
  async function setUp() {
    const root = await mkdtemp(join(tmpdir(), "vectorflow-root-"));
    const self = selfCommand();
    const run = (...args: readonly string[]) => {
      const { status, stdout, stderr } = spawnSync(self.command, [...self.args, ...args], {
        encoding: "utf8",
        env: {
          PATH: process.env["PATH"],
          VECTORFLOW_ENROLLMENT_TOKEN: "vfe_secret_token",
          HTTPS_PROXY: "http://user:hunter2@proxy.test:3128",
        },
      });
      return { status, text: `${stdout}${stderr}` };
    };
    const install = (...more: readonly string[]) =>
      run("install", "--root", root, "--server", "https://vf.example.com", ...more);
    return {
      root,
      run,
      install,
      unit: join(root, "etc/systemd/system/vectorflow-agent.service"),
      env: join(root, "etc/vectorflow-agent/agent.env"),
      link: join(root, "etc/systemd/system/multi-user.target.wants/vectorflow-agent.service"),
      [Symbol.asyncDispose]: async () => await rm(root, { recursive: true }),
    };
  }

  test("a dry run says everything and does nothing", async () => {
    await using system = await setUp();
    const { status, text } = system.install("--dry-run");
    expect(status).toBe(0);
    expect(text).toContain(`would write ${system.unit}`);
    expect(text).toContain("ExecStart=");
    expect(text).not.toMatch(/vfe_secret_token|hunter2/);
    expect(await readdir(system.root)).toEqual([]);
  });

  test("installs, keeps what a person changed, and uninstalls without touching data", async () => {
    await using system = await setUp();
    const first = system.install("--label", "zone=eu west");
    expect(first).toMatchObject({ status: 0 });
    expect(first.text).not.toMatch(/vfe_secret_token|hunter2/);
    expect((await stat(system.env)).mode & 0o777).toBe(0o600);
    expect(await readFile(system.env, "utf8")).toMatch(
      /^VECTORFLOW_ENROLLMENT_TOKEN="vfe_secret_token"\nHTTPS_PROXY="http:\/\/user:hunter2@/m,
    );
    const unit = await readFile(system.unit, "utf8");
    expect(unit).toContain('--label "zone=eu west" --health-listen 127.0.0.1:8095\n');
    expect(unit).not.toMatch(/vfe_|hunter2/);
    expect(await readlink(system.link)).toBe("/etc/systemd/system/vectorflow-agent.service");
    // Again: nothing to do.
    expect(system.install("--label", "zone=eu west")).toMatchObject({ status: 0 });
    await writeFile(system.unit, unit.replace("RestartSec=2", "RestartSec=30"));
    const kept = system.install("--label", "zone=eu west");
    expect(kept.status).toBe(1);
    expect(kept.text).toContain("- RestartSec=30\n+ RestartSec=2");
    expect(await readFile(system.unit, "utf8")).toContain("RestartSec=30");
    expect(system.install("--label", "zone=eu west", "--force")).toMatchObject({ status: 0 });
    expect(await readFile(system.unit, "utf8")).toBe(unit);
    const copies = (await readdir(join(system.unit, ".."))).filter((name) =>
      name.includes(".before-"),
    );
    expect(copies).toHaveLength(1);

    const data = join(system.root, "var/lib/vectorflow-agent");
    await mkdir(data, { recursive: true });
    await writeFile(join(data, "state.json"), "{}");
    const gone = system.run("uninstall", "--root", system.root);
    expect(gone.status).toBe(0);
    await expect(stat(system.unit)).rejects.toThrow(/ENOENT/);
    await expect(readlink(system.link)).rejects.toThrow(/ENOENT/);
    expect(await readdir(data)).toEqual(["state.json"]);
    expect((await stat(system.env)).isFile()).toBe(true);
    expect(system.run("uninstall", "--root", system.root, "--purge").status).toBe(0);
    await expect(stat(data)).rejects.toThrow(/ENOENT/);
    await expect(stat(system.env)).rejects.toThrow(/ENOENT/);
  });

  test("does not purge a folder that is none of an agent's", async () => {
    await using system = await setUp();
    const data = join(system.root, "home/somebody");
    await mkdir(data, { recursive: true });
    await writeFile(join(data, "letters.txt"), "dear");
    const flags = ["--root", system.root, "--data-dir", "/home/somebody", "--purge"];
    const { status, text } = system.run("uninstall", ...flags);
    expect({ status, text }).toMatchObject({
      status: 1,
      text: expect.stringContaining("does not look like") as string,
    });
    expect(await readdir(data)).toEqual(["letters.txt"]);
  });

  test("says what to do where there is no systemd", async ({ skip }) => {
    if (spawnSync("test", ["-d", "/run/systemd/system"]).status === 0) skip("systemd runs here");
    const self = selfCommand();
    const args = [...self.args, "install", "--server", "https://vf.example.com"];
    expect(() => execFileSync(self.command, args, { encoding: "utf8", stdio: "pipe" })).toThrow(
      /run --server https:\/\/vf\.example\.com/,
    );
  });
});
