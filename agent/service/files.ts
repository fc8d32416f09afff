import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, lstat, mkdir, open, readFile, readlink, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { isStrictVersion } from "../vector/releases.ts";
import { runCommand } from "../vector/run-command.ts";
import type { PresentFile, WantedFile } from "./install-plan.ts";

/** Looks at what a path holds. */
export async function readPresent(
  path: string,
  wanted: WantedFile,
  signal: AbortSignal,
): Promise<PresentFile> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return undefined;
  if (wanted.content.kind === "text") {
    return stats.isFile()
      ? { kind: "text", text: await readFile(path, "utf8") }
      : { kind: "executable", isSame: false, version: undefined };
  }
  const { source } = wanted.content;
  const isSame = (await digestOf(path)) === (await digestOf(source));
  return { kind: "executable", isSame, version: isSame ? undefined : await ask(path, signal) };
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash).catch(() => {}); // What cannot be read is not the same.
  return hash.digest("hex");
}

async function ask(path: string, signal: AbortSignal): Promise<string | undefined> {
  const result = await runCommand(
    { command: path, args: ["version"], cwd: "/", env: {}, timeoutMs: 10_000 },
    signal,
  );
  const text = result.kind === "ended" && result.code === 0 ? result.stdout.trim() : "";
  return isStrictVersion(text) ? text : undefined;
}

/** Puts a file into place at once, keeping a copy of what was there. Returns the copy's path. */
export async function place(
  path: string,
  { content, mode }: WantedFile,
  keepCopy: boolean,
): Promise<string | undefined> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const copy = keepCopy
    ? `${path}.before-${new Date().toISOString().replaceAll(":", "")}`
    : undefined;
  if (copy !== undefined) await copyFile(path, copy);
  const temporary = `${path}.new-${process.pid}`;
  try {
    if (content.kind === "executable") await copyFile(content.source, temporary);
    await using file = await open(temporary, content.kind === "text" ? "wx" : "r+", mode);
    if (content.kind === "text") await file.writeFile(content.text);
    await file.chmod(mode);
    await file.sync();
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  return copy;
}

/** Where a link leads; undefined when there is none. */
export async function linkTarget(path: string): Promise<string | undefined> {
  return await readlink(path).catch(() => undefined);
}
