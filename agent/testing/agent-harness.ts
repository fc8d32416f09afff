import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { systemClock } from "#common/clock.ts";
import { silentLogger } from "#common/logger.ts";
import { ApplyPhase, PipelineState } from "#gen/vectorflow/agent/v1/report_pb.ts";
import { runAgent, type AgentDeps } from "../agent.ts";
import { parseCommandLine } from "../config.ts";
import { readPolicyFile } from "../policy/policy-file.ts";
import { defaultLimits } from "../process/limits.ts";
import type { FakeControlPlane, Wanted } from "./fake-control-plane.ts";

/** For a busy machine; a good run never comes near it. */
export const slow = { timeout: 30_000, interval: 50 };
/** vector-sim, or the real Vector that `VECTOR_BIN` names. */
export const vectorBin =
  process.env["VECTOR_BIN"] ?? join(import.meta.dirname, "../simulator/vector-sim");

/** Whether the suite runs over vector-sim, which shows faults on request. */
export const isSimulated = process.env["VECTOR_BIN"] === undefined;

/** What an agent of these tests runs with: as in production, with shorter waits. */
export const testDeps: AgentDeps = {
  clock: systemClock,
  log: silentLogger,
  random: Math.random,
  env: { ...process.env, VECTOR_BIN: vectorBin },
  limits: { ...defaultLimits, probationMs: 400, silenceMs: 5000, pageMs: 10_000 },
  // Policies may belong to the account that runs the tests.
  readPolicy: (path) => readPolicyFile(path, { alsoTrusted: process.getuid?.() }),
};

/** A pipeline from demo_logs to a blackhole. */
export const yaml = (interval: number, extra = ""): string => `sources:
  in:
    type: demo_logs
    format: json
    interval: ${interval}
${extra}sinks:
  out:
    type: blackhole
    inputs: [in]
`;

/** What a control plane wants: its hash stands for the text. */
export const wanted = (version: number, text: string, more: Partial<Wanted> = {}): Wanted => ({
  id: "p1",
  hash: `hash of ${text}`,
  version,
  yaml: text,
  ...more,
});

export interface StartedAgent extends AsyncDisposable {
  readonly folder: string;
  /** Rejects with why the agent ended, if it did not end in order. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** A whole agent in this process, with a data directory of its own. */
export async function startAgent(
  server: string,
  options: {
    readonly dataDir?: string;
    readonly args?: readonly string[];
    readonly deps?: Partial<AgentDeps>;
  } = {},
): Promise<StartedAgent> {
  const { dataDir } = options;
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), "vectorflow-agent-")));
  const own = ["--server", server, "--token", "vfe_token", "--data-dir", folder];
  const { config } = parseCommandLine(["run", ...own, ...(options.args ?? [])], {});
  const stop = new AbortController();
  const ended = runAgent(config, { ...testDeps, ...options.deps }, stop.signal);
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

/** Waits until a version runs, whether it delivers or not; returns its process id. */
export async function applied(
  plane: FakeControlPlane,
  version: number,
  id = "p1",
): Promise<number> {
  return await vi.waitFor(() => {
    const report = plane.last(id);
    expect(report).toMatchObject({ phase: ApplyPhase.APPLIED, effectiveVersion: version });
    expect(report?.state).toBeOneOf([PipelineState.RUNNING, PipelineState.NOT_DELIVERING]);
    return report?.pid ?? 0;
  }, slow);
}

/** Whether a process runs. One that has ended and that nobody has asked for yet does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
