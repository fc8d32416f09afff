import { readFileSync, readdirSync, readlinkSync } from "node:fs";

/** A process of a stack, as the system tells of it. */
export interface SeenProcess {
  readonly pid: number;
  readonly parentPid: number;
  /** Words of the command line; a database worker has one, which names what it does. */
  readonly args: readonly string[];
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It has ended meanwhile, or is another account's.
    return "";
  }
}

function workingDirectory(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}

/**
 * Every process that works for a stack: known by its data directory in the command line (Vector, PostgreSQL), in the
 * environment (launcher, server, agent) or as the working directory (workers of PostgreSQL). What has ended and
 * waits to be asked for does not count.
 */
export function processesOf(dataDir: string): readonly SeenProcess[] {
  const found: SeenProcess[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const commandLine = read(`/proc/${pid}/cmdline`);
    const belongs =
      commandLine.includes(dataDir) ||
      read(`/proc/${pid}/environ`).includes(dataDir) ||
      workingDirectory(pid).startsWith(dataDir);
    if (!belongs) continue;
    const [, state, parentPid] = /\) (\S) (\d+) /.exec(read(`/proc/${pid}/stat`)) ?? [];
    if (state === undefined || state === "Z") continue;
    found.push({ pid, parentPid: Number(parentPid), args: commandLine.split("\0") });
  }
  return found;
}

/** The process ids of one part of a stack. */
export function pidsOf(
  dataDir: string,
  part: "server" | "agent" | "vector" | "postgres",
): readonly number[] {
  const belongs: Record<typeof part, (args: readonly string[]) => boolean> = {
    server: (args) => args.some((arg) => arg.endsWith("server/main.ts")),
    agent: (args) => args.some((arg) => arg.endsWith("agent/main.ts")),
    vector: (args) => args.includes("--config-yaml") && !args.includes("validate"),
    postgres: ([command = "", ...rest]) => command.endsWith("/postgres") && rest.includes("-D"),
  };
  return processesOf(dataDir)
    .filter(({ args }) => belongs[part](args))
    .map(({ pid }) => pid);
}

/** The process id of a part that shall run exactly once. Throws when it runs never or twice. */
export function onlyPid(dataDir: string, part: Parameters<typeof pidsOf>[1]): number {
  const pids = pidsOf(dataDir, part);
  const [pid] = pids;
  if (pid === undefined || pids.length > 1) {
    throw new Error(`${pids.length} processes of ${part} run instead of one`);
  }
  return pid;
}
