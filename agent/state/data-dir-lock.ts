import { open, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";

import { ExpectedError } from "../expected-error.ts";
import { processStartTime } from "../process/process-identity.ts";
import { numberOf, recordOf, stringOf } from "./parse.ts";

/** Another agent works in the data directory. */
export class DataDirInUseError extends ExpectedError {
  override readonly name = "DataDirInUseError";
}

interface Holder {
  readonly pid: number;
  readonly startTime: string;
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const record = recordOf(JSON.parse(await readFile(path, "utf8")));
    return { pid: numberOf(record["pid"]), startTime: stringOf(record["startTime"]) };
  } catch {
    return undefined; // Absent, or half written by an agent that died just then.
  }
}

/** The process that holds the lock of a data directory; undefined when none does. */
export async function lockHolder(dataDir: string): Promise<number | undefined> {
  const holder = await readHolder(join(dataDir, "agent.lock"));
  if (holder === undefined) return undefined;
  return (await processStartTime(holder.pid)) === holder.startTime ? holder.pid : undefined;
}

/**
 * Makes this process the only agent in a data directory. The holder is known by its start time too,
 * so that a lock left by a dead agent does not block one when its process id is used again.
 */
export async function lockDataDir(dataDir: string): Promise<AsyncDisposable> {
  const path = join(dataDir, "agent.lock");
  const startTime = (await processStartTime(process.pid)) ?? "";
  for (let tries = 0; tries < 3; tries++) {
    try {
      await using file = await open(path, "wx", 0o600);
      await file.writeFile(JSON.stringify({ pid: process.pid, startTime }));
      return { [Symbol.asyncDispose]: async () => await unlink(path).catch(() => {}) };
    } catch (error) {
      if (!(Error.isError(error) && "code" in error && error.code === "EEXIST")) throw error;
    }
    const holder = await lockHolder(dataDir);
    if (holder !== undefined) {
      throw new DataDirInUseError(
        `another agent (process ${holder}) works in ${dataDir}: stop it, or choose another --data-dir`,
      );
    }
    await unlink(path).catch(() => {}); // Its owner is dead; losing the race to remove it is fine.
  }
  throw new DataDirInUseError(`the lock ${path} cannot be taken`);
}
