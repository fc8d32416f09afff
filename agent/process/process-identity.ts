import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Field 22 of `/proc/<pid>/stat`: the start time in clock ticks since boot. The command name before
 * it may hold spaces and parentheses, so that fields are counted from the last parenthesis. A zombie
 * has ended, whatever its parent does about it.
 */
export function startTimeFromStat(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

/**
 * What tells a process from a later one with the same id; undefined when there is none. With the
 * boot id, because start times count from the boot.
 */
export async function processStartTime(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") {
    try {
      const [stat, boot] = await Promise.all([
        readFile(`/proc/${pid}/stat`, "utf8"),
        readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => ""),
      ]);
      const start = startTimeFromStat(stat);
      return start === undefined ? undefined : `${boot.trim()}/${start}`;
    } catch {
      return undefined; // The process is gone.
    }
  }
  try {
    const { stdout } = await run("ps", ["-o", "lstart=", "-p", String(pid)], {
      timeout: 5_000,
      killSignal: "SIGKILL",
    });
    return stdout.trim() || undefined;
  } catch {
    return undefined; // ps fails when there is no such process.
  }
}

/** Sends a signal to a process group; false when it is gone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false; // ESRCH: no such group.
  }
}
