import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { systemClock } from "#common/clock.ts";
import { silentLogger } from "#common/logger.ts";
import { ApplyPhase, PipelineState } from "#gen/vectorflow/agent/v1/report_pb.ts";
import { runAgent } from "../agent.ts";
import { parseCommandLine } from "../config.ts";
import { defaultLimits, type RunnerLimits } from "../process/limits.ts";
import { FakeControlPlane } from "./fake-control-plane.ts";

const vectorBin = process.env["VECTOR_BIN"] ?? join(import.meta.dirname, "../simulator/vector-sim");

/** Whether the tests run against a real Vector. */
export const isRealVector = process.env["VECTOR_BIN"] !== undefined;

/** For a busy machine; a good run never comes near it. */
export const patience = { timeout: 30_000, interval: 20 };
vi.setConfig({ testTimeout: 90_000 });

/** A whole agent in this process, its control plane, and one applied pipeline `p1`. */
export interface RunningAgent extends AsyncDisposable {
  readonly plane: FakeControlPlane;
  readonly folder: string;
  /** Applies another configuration and waits for it; returns the pid of Vector. */
  apply(yaml: string): Promise<number>;
  stop(): Promise<void>;
}

export async function runPipeline(
  yaml: string,
  options: {
    readonly vector?: string;
    readonly args?: readonly string[];
    readonly limits?: Partial<RunnerLimits>;
  } = {},
): Promise<RunningAgent> {
  const stack = new AsyncDisposableStack();
  const plane = stack.use(new FakeControlPlane());
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-agent-"));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const { config } = parseCommandLine(
    [
      "run",
      `--server=${await plane.start()}`,
      "--token=vfe_token",
      `--data-dir=${folder}`,
      ...(options.args ?? []),
    ],
    {},
  );
  const stop = new AbortController();
  const ended = runAgent(
    config,
    {
      clock: systemClock,
      log: silentLogger,
      random: Math.random,
      env: { ...process.env, VECTOR_BIN: options.vector ?? vectorBin },
      limits: { ...defaultLimits, probationMs: 400, pageMs: 3000, ...options.limits },
    },
    stop.signal,
  );
  ended.catch(() => {});
  const end = async (): Promise<void> => {
    stop.abort();
    await ended.catch(() => {});
  };
  stack.defer(end);
  let version = 0;
  const apply = async (text: string): Promise<number> => {
    version += 1;
    const hash = createHash("sha256").update(text).digest("hex");
    plane.want({ id: "p1", hash, version, yaml: text });
    await vi.waitFor(
      () =>
        expect(plane.last("p1")).toMatchObject({
          phase: ApplyPhase.APPLIED,
          effectiveVersion: version,
          state: PipelineState.RUNNING,
        }),
      patience,
    );
    return plane.last("p1")?.pid ?? 0;
  };
  await apply(yaml);
  return { plane, folder, apply, stop: end, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
