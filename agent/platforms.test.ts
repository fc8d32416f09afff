import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/*
 * Another platform, as far as this one can play it: `process.platform` says so, what Windows lacks is gone, and
 * there is no /proc to read. Paths and signals stay those of this machine.
 */
const preload = (platform: string): string => `
import fs from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
Object.defineProperty(process, "platform", { value: ${JSON.stringify(platform)} });
if (process.platform === "win32") for (const name of ["getuid", "geteuid", "getgid"]) delete process[name];
const absent = (path) => Object.assign(new Error("ENOENT: " + path), { code: "ENOENT" });
const isProc = (path) => /^\\/(?:proc|sys)\\b/.test(String(path));
for (const name of ["readFile", "readdir", "stat", "access"]) {
  const real = promises[name];
  promises[name] = async (path, ...rest) => {
    if (isProc(path)) throw absent(path);
    return real(path, ...rest);
  };
}
for (const name of ["readFileSync", "readdirSync", "statSync"]) {
  const real = fs[name];
  fs[name] = (path, ...rest) => {
    if (isProc(path)) throw absent(path);
    return real(path, ...rest);
  };
}
syncBuiltinESMExports();
`;

/** Modules that do something when they are imported, and are executables for that. */
const executables = new Set(["main.ts", "simulator/main.ts"]);

describe.each(["darwin", "win32"])("on %s", (platform) => {
  let folder = "";
  let hook = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "vectorflow-platform-"));
    hook = join(folder, "preload.mjs");
    writeFileSync(hook, preload(platform));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", hook, ...args], {
      encoding: "utf8",
      cwd: import.meta.dirname,
      env: { PATH: process.env["PATH"], HOME: folder },
    });
    return { status, stdout, stderr };
  };

  test("every module of the agent can be imported", () => {
    const modules = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter(
      (name) =>
        /(?<!\.test|\.d)\.ts$/.test(name) &&
        !executables.has(name) &&
        // This belongs to vitest.
        !/(^|[/\\])testing[/\\]/.test(name),
    );
    expect(modules.length).toBeGreaterThan(50);
    const script = join(folder, "import-all.mjs");
    const imports = modules.map(
      (name) => `await import(${JSON.stringify(join(import.meta.dirname, name))});`,
    );
    writeFileSync(script, `${imports.join("\n")}\nprocess.stdout.write(process.platform);\n`);
    expect(run(script)).toEqual({ status: 0, stdout: platform, stderr: "" });
  });

  test("the commands that start nothing work", () => {
    expect(run("main.ts", "version")).toMatchObject({ status: 0, stderr: "" });
    expect(run("main.ts", "--help").stdout).toContain("Usage:");
    const flags = ["--data-dir", join(folder, "agent")];
    expect(run("main.ts", "status", ...flags)).toMatchObject({ status: 0, stderr: "" });
    const { stdout, status } = run("main.ts", "doctor", "--json", ...flags);
    const report = JSON.parse(stdout) as { findings: { id: string; level: string }[] };
    const found = report.findings.find(({ id }) => id === "platform");
    expect({ status, level: found?.level }).toEqual({
      status: 1,
      level: platform === "win32" ? "problem" : "warning",
    });
  });

  test.runIf(platform === "win32")("run says that it cannot", () => {
    const { status, stderr } = run("main.ts", "run", "--server", "127.0.0.1:1");
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^the agent does not run on Windows/) as string,
    });
  });
});
