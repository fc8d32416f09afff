import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

import type { Logger } from "#common/logger.ts";

let counter = 0;

/**
 * Replaces a file so that a reader, and a machine that loses power, sees the old content or the new
 * one and nothing between. Readable by the owner only.
 */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}-${++counter}`;
  {
    await using file = await open(temporary, "wx", 0o600);
    await file.writeFile(content);
    await file.sync();
  }
  await rename(temporary, path);
  await using folder = await open(dirname(path), "r");
  await folder.sync();
}

/** The content of a file; undefined when there is none. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (Error.isError(error) && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Reads a JSON file through `parse`, which throws on what it does not understand. A file that
 * cannot be used is set aside under another name and counts as absent, so that it can neither stop
 * the agent at each start nor be overwritten before somebody has looked at it.
 */
export async function readJsonFile<T>(
  path: string,
  parse: (value: unknown) => T,
  log: Logger,
): Promise<T | undefined> {
  const text = await readIfPresent(path);
  if (text === undefined) return undefined;
  try {
    return parse(JSON.parse(text));
  } catch (error) {
    const aside = `${path}.corrupt-${Date.now()}`;
    await rename(path, aside);
    log.error("state file is unusable and was set aside", { path, aside, error });
    return undefined;
  }
}
