import { lstatSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadPty } from "./load-pty.ts";
import { materialize } from "./native-asset.ts";

describe("materialize", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "vectorflow-asset-"));
  });
  afterEach(async () => await rm(folder, { recursive: true }));
  const content = Buffer.from("native code");

  test("writes once, for this account only, under the content's own name", async () => {
    const path = materialize("pty.node", content, folder);
    expect(readFileSync(path)).toEqual(content);
    expect(lstatSync(path).mode & 0o777).toBe(0o700);
    const { ino } = lstatSync(path);
    expect(materialize("pty.node", content, folder)).toBe(path);
    expect(lstatSync(path).ino).toBe(ino);
    expect(materialize("pty.node", Buffer.from("other code"), folder)).not.toBe(path);
    expect(await readdir(folder)).toHaveLength(2);
  });

  test.each([
    ["a file with another content", (path: string) => writeFileSync(path, "evil", { mode: 0o700 })],
    [
      "a file that others can write",
      (path: string) => writeFileSync(path, content, { mode: 0o666 }),
    ],
    ["a link", (path: string) => symlinkSync("/etc/passwd", path)],
  ])("does not load %s that was put in its place", async (_what, plant) => {
    const path = materialize("pty.node", content, folder);
    await rm(path);
    plant(path);
    const other = materialize("pty.node", content, folder);
    expect(other).not.toBe(path);
    expect(readFileSync(other)).toEqual(content);
    expect(lstatSync(other).mode & 0o777).toBe(0o700);
  });
});

test("opens a terminal", async () => {
  const { spawn } = await loadPty();
  const output = Promise.withResolvers<string>();
  const terminal = spawn("/bin/sh", ["-c", "tput cols; exit 3"], {
    cols: 77,
    rows: 20,
    env: { PATH: process.env["PATH"], TERM: "xterm" },
  });
  let text = "";
  terminal.onData((piece) => (text += piece));
  terminal.onExit(({ exitCode }) => output.resolve(`${text.trim()} ${exitCode}`));
  expect(await output.promise).toBe("77 3");
});
