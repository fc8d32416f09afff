import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { BackendFailure, type ReadOutcome } from "./backend.ts";
import { ExecClient } from "./exec.ts";

const { signal } = new AbortController();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vectorflow-exec-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A command that runs a script of the shell; its own arguments follow. */
async function command(
  script: string,
  options: {
    readonly args?: readonly string[];
    readonly timeoutMs?: number;
    readonly type?: string;
  } = {},
): Promise<ExecClient> {
  const path = join(folder, `${Math.random()}.sh`);
  await writeFile(path, script);
  const settings = {
    kind: "EXEC",
    refreshSeconds: 300,
    pathPrefix: "",
    command: "c",
    backendType: options.type ?? "",
    configJson: options.type === undefined ? "" : '{"vault":"x"}',
  } as const;
  return new ExecClient(settings, ["/bin/sh", path, ...(options.args ?? [])], options.timeoutMs);
}

const reference = (path: string) => ({ path, key: "", version: "" });

const textOf = (outcome: ReadOutcome | undefined): string =>
  outcome?.kind === "value"
    ? outcome.value
    : `${outcome?.failure.kind}: ${outcome?.failure.message}`;

const failureOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
    return "none";
  } catch (error) {
    if (!(error instanceof BackendFailure)) throw error;
    return `${error.kind}: ${error.message}`;
  }
};

describe("a command", () => {
  test("is asked by Vector's protocol and answers for each name", async () => {
    const own = await command(
      `cat > "$1"
echo '{"a": {"value": "x $HOME", "error": null}, "b": {"value": null, "error": "token hunter2 ended"},
  "e": {"value": ""}, "n": {"value": 5}, "more": {"value": "ignored"}}'
echo warning >&2`,
      { args: [join(folder, "asked")] },
    );
    const names = ["a", "b", "absent", "e", "n", "__proto__", "a"];
    const read = await own.read(names.map(reference), signal);
    expect(read.map(textOf)).toEqual([
      "x $HOME",
      "path: the command refuses it",
      "path: the command does not know it",
      "path: its value is empty",
      "answer: the command gives no text for it",
      "path: the command does not know it",
      "x $HOME",
    ]);
    expect(JSON.parse(await readFile(join(folder, "asked"), "utf8"))).toEqual({
      version: "1.0",
      secrets: ["a", "b", "absent", "e", "n", "__proto__"],
    });
  });

  test("is given the type and the settings of version 1.1", async () => {
    const own = await command(`cat > "$1"; echo '{}'`, {
      args: [join(folder, "new")],
      type: "pass",
    });
    expect(await own.check(signal)).toBe("the command runs and answers");
    expect(JSON.parse(await readFile(join(folder, "new"), "utf8"))).toEqual({
      version: "1.1",
      secrets: [],
      type: "pass",
      config: { vault: "x" },
    });
  });

  test("gets nothing of the server's environment, and no shell reads its arguments (A14)", async () => {
    process.env["VECTORFLOW_TEST_VALUE"] = "leaked";
    try {
      const own = await command(`env > "$1"; echo "$2" >> "$1"; echo '{}'`, {
        args: [join(folder, "env"), "$(id); `id`"],
      });
      await own.check(signal);
    } finally {
      delete process.env["VECTORFLOW_TEST_VALUE"];
    }
    const text = await readFile(join(folder, "env"), "utf8");
    expect(text).not.toContain("leaked");
    expect(text).toContain("PATH=/usr/local/bin:/usr/bin:/bin");
    expect(text.trim().split("\n").at(-1)).toBe("$(id); `id`");
  });

  test.each([
    ["exit 3", "unavailable: the command failed with 3"],
    ["echo no json", "answer: the command does not answer with an object in JSON"],
    ["echo '[]'", "answer: the command does not answer with an object in JSON"],
    ["head -c 6000000 /dev/zero", "answer: the command writes more than it may"],
    ["kill -9 $$", "unavailable: the command failed with a signal"],
  ])("that does %s has failed", async (script, expected) => {
    expect(await failureOf((await command(script)).read([reference("a")], signal))).toBe(expected);
  });

  test("that takes too long is killed, and so is all that it started", async () => {
    const own = await command(`sleep 600 & echo $! > "$1"; wait`, {
      args: [join(folder, "pid")],
      timeoutMs: 300,
    });
    expect(await failureOf(own.read([reference("a")], signal))).toBe(
      "unavailable: the command did not answer in time",
    );
    const pid = Number(await readFile(join(folder, "pid"), "utf8"));
    await vi.waitFor(async () => {
      const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "gone");
      expect(state === "gone" || / Z /.test(state)).toBe(true);
    });
  });

  test("that is not there says so, and one that is not asked any more is ended", async () => {
    const settings = {
      kind: "EXEC",
      refreshSeconds: 300,
      pathPrefix: "",
      command: "c",
      backendType: "",
      configJson: "",
    } as const;
    const none = new ExecClient(settings, ["/nowhere/at-all"]);
    expect(await failureOf(none.check(signal))).toBe(
      "settings: the command cannot be started on this server",
    );
    const left = new AbortController();
    const call = (await command("sleep 600")).check(left.signal);
    left.abort(new Error("left"));
    await expect(call).rejects.toThrow("left");
  });
});
