import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { vectorBin } from "./agent-harness.ts";

/** A whole agent as a process of its own, whose log can be watched and which can be killed. */
export interface AgentProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Calls back with each line of its log until that returns true. */
  watch(line: (text: string) => boolean): void;
  kill(signal: NodeJS.Signals): Promise<void>;
}

export function spawnAgent(
  server: string,
  dataDir: string,
  args: readonly string[] = [],
): AgentProcess {
  const main = join(import.meta.dirname, "../main.ts");
  const own = ["--server", server, "--token", "vfe_token", "--data-dir", dataDir];
  const child = spawn(process.execPath, [main, "run", ...own, "--log-level", "debug", ...args], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, VECTOR_BIN: vectorBin },
  });
  const ended = once(child, "exit");
  const watchers = new Set<(text: string) => boolean>();
  createInterface({ input: child.stderr }).on("line", (text) => {
    for (const watcher of watchers) if (watcher(text)) watchers.delete(watcher);
  });
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return {
    child,
    watch: (line) => void watchers.add(line),
    kill,
    [Symbol.asyncDispose]: () => kill("SIGTERM"),
  };
}

/** Ids of the living leaders of process groups whose command line names this path. */
export function processesNaming(path: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const argv = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return argv.includes(path) && state !== "Z" && group === name;
      } catch {
        return false; // It ended meanwhile.
      }
    })
    .map(Number);
}
