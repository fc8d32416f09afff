import { createHash } from "node:crypto";
import type { RunnerLimits } from "../process/limits.ts";
import { vi } from "vitest";
import { applied, isSimulated, startAgent, testDeps, vectorBin } from "./agent-harness.ts";
import { FakeControlPlane } from "./fake-control-plane.ts";

/** Whether the tests run against a real Vector. */
export const isRealVector = !isSimulated;

/** For a busy machine; a good run never comes near it. */
export const patience = { timeout: 30_000, interval: 20 };
vi.setConfig({ testTimeout: 90_000 });

/** A whole agent in this process, its control plane, and one applied pipeline `p1`. */
export interface RunningPipeline extends AsyncDisposable {
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
): Promise<RunningPipeline> {
  const stack = new AsyncDisposableStack();
  const plane = stack.use(new FakeControlPlane());
  const agent = stack.use(
    await startAgent(await plane.start(), {
      args: options.args ?? [],
      deps: {
        env: { ...process.env, VECTOR_BIN: options.vector ?? vectorBin },
        limits: { ...testDeps.limits, ...options.limits },
      },
    }),
  );
  let version = 0;
  const apply = async (text: string): Promise<number> => {
    version += 1;
    const hash = createHash("sha256").update(text).digest("hex");
    plane.want({ id: "p1", hash, version, yaml: text });
    return await applied(plane, version);
  };
  await apply(yaml);
  return {
    plane,
    folder: agent.folder,
    apply,
    stop: () => agent.stop(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
