import { mkdtemp, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#common/clock.ts";
import { silentLogger } from "#common/logger.ts";
import { runAgent, type AgentDeps } from "../agent.ts";
import { parseCommandLine } from "../config.ts";
import { readPolicyFile } from "../policy/policy-file.ts";
import { defaultLimits } from "../process/limits.ts";

export const vectorBin =
  process.env["VECTOR_BIN"] ?? join(import.meta.dirname, "../simulator/vector-sim");

export interface RunningAgent extends AsyncDisposable {
  readonly folder: string;
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** A whole agent in this process, with a data directory of its own. Policies may belong to the tests' user. */
export async function startAgent(
  server: string,
  options: {
    readonly dataDir?: string;
    readonly args?: readonly string[];
    readonly deps?: Partial<AgentDeps>;
  } = {},
): Promise<RunningAgent> {
  const folder = options.dataDir ?? (await mkdtemp(join(tmpdir(), "vectorflow-agent-")));
  const args = ["--server", server, "--token", "vfe_token", "--data-dir", folder];
  const { config } = parseCommandLine(["run", ...args, ...(options.args ?? [])], {});
  const alsoTrusted = process.getuid?.();
  const deps: AgentDeps = {
    clock: systemClock,
    log: silentLogger,
    random: Math.random,
    env: { ...process.env, VECTOR_BIN: vectorBin },
    limits: { ...defaultLimits, probationMs: 400, pageMs: 3000 },
    readPolicy: (path) => readPolicyFile(path, { alsoTrusted }),
    ...options.deps,
  };
  const stop = new AbortController();
  const ended = runAgent(config, deps, stop.signal);
  ended.catch(() => {});
  return {
    folder,
    ended,
    async stop() {
      stop.abort();
      await ended.catch(() => {});
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended.catch(() => {});
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Whether a process runs. One that has ended and that nobody has asked for yet does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
