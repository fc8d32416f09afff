import { expect, test, vi } from "vitest";
import { isAlive } from "../testing/agent-harness.ts";
import { Child, describeExit } from "./child.ts";
import { cutMark, LineSplitter, maxLineLength } from "./line-splitter.ts";

function shell(script: string) {
  const lines: string[] = [];
  const child = new Child(
    {
      command: "/bin/sh",
      args: ["-c", script],
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "" },
    },
    (line, stream) => lines.push(`${stream}: ${line}`),
  );
  return { child, lines };
}

test("a child that traps SIGTERM is ended by force after the grace", async () => {
  const { child, lines } = shell("trap 'echo no' TERM; echo ready; while :; do sleep 0.05; done");
  await vi.waitFor(() => expect(lines).toContain("stdout: ready"));
  const exit = await child.stop(200);
  expect(describeExit(exit)).toBe("was ended by SIGKILL");
  expect(lines).toContain("stdout: no");
});

test("what a child started goes with it: the whole group ends", async () => {
  const { child, lines } = shell("sleep 1000 & echo $!; wait");
  await vi.waitFor(() => expect(lines).toHaveLength(1));
  const grandchild = Number(lines[0]?.replace("stdout: ", ""));
  expect(isAlive(grandchild)).toBe(true);
  await child.stop(5_000);
  await vi.waitFor(() => expect(isAlive(grandchild)).toBe(false));
});

test("both pipes are drained, however much comes through them", async () => {
  const { child, lines } = shell(
    "for i in 1 2 3 4 5; do head -c 300000 /dev/zero | tr '\\0' x; echo; head -c 300000 /dev/zero | tr '\\0' y >&2; echo >&2; done",
  );
  expect(await child.exit).toEqual({ kind: "exited", code: 0 });
  expect(lines.filter((line) => line.startsWith("stdout: xxx"))).toHaveLength(5);
  expect(lines.filter((line) => line.startsWith("stderr: yyy"))).toHaveLength(5);
});

test("a child inherits nothing of the environment (A14)", async () => {
  const { child, lines } = shell("env");
  await child.exit;
  const names = lines.map((line) => line.replace(/^stdout: |=.*/g, ""));
  // What the shell sets by itself.
  expect(names.filter((name) => !["PATH", "PWD", "SHLVL", "_", "OLDPWD"].includes(name))).toEqual(
    [],
  );
});

test("a program that is not there is an exit with its cause, and no exception", async () => {
  const child = new Child({ command: "/no/such/program", args: [], cwd: "/", env: {} }, () => {});
  expect(describeExit(await child.exit)).toContain("could not be started");
});

test("a line of more than a mebibyte is cut and marked, and the next one is whole", () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (let chunk = 0; chunk < 20; chunk++) splitter.push(Buffer.alloc(100_000, "a"));
  splitter.push(Buffer.from("\nnext\n"));
  expect(lines).toEqual(["a".repeat(maxLineLength) + cutMark, "next"]);
});

test("a character whose bytes come in two chunks is one character; other bytes are replaced", () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  const bytes = Buffer.from("é\n");
  splitter.push(bytes.subarray(0, 1));
  splitter.push(bytes.subarray(1));
  splitter.push(Buffer.from([0xff, 0x0a]));
  expect(lines).toEqual(["é", "\ufffd"]);
});
