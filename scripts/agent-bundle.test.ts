import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { version } from "#common/version.ts";
import { bundleAgent } from "./agent-bundle.ts";

let folder = "";
let bundle = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vectorflow-bundle-"));
  bundle = await bundleAgent(folder);
});
afterAll(async () => await rm(folder, { recursive: true }));

// Away from the repository, so that nothing beside the file can help.
const run = (...args: readonly string[]) =>
  spawnSync(process.execPath, [bundle, ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: folder },
  });

test("one file is the whole agent", async () => {
  expect(run("version")).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
  expect(run("doctor", "--help").stdout).toContain("doctor [options]");
  const status = run("status", "--json");
  expect(JSON.parse(status.stdout)).toMatchObject({ enrolled: false, version });
  const doctor = run("doctor", "--json", "--server", "127.0.0.1:1");
  expect(JSON.parse(doctor.stdout)).toMatchObject({ level: "problem", version });
  const bundled = run("support-bundle", "--output", join(folder, "support.tar.gz"));
  expect(bundled).toMatchObject({ status: 0, stderr: "" });
  expect(run("run", "--server", "vf.example.com").stderr).toContain("--allow-plaintext");
});

test("needs no package at run time", async () => {
  const text = await readFile(bundle, "utf8");
  const needed = new Set(
    [...text.matchAll(/\brequire\(["'`]([^"'`]+)["'`]\)/g)].map(([, name = ""]) =>
      name.replace(/^node:/, ""),
    ),
  );
  // systeminformation tries these on macOS and does without them.
  const optional = new Set(["osx-temperature-sensor", "macos-temperature-sensor"]);
  // node:sea has no name without its prefix.
  const known = new Set([...builtinModules, "sea"]);
  expect([...needed].filter((name) => !known.has(name) && !optional.has(name))).toEqual([]);
});
