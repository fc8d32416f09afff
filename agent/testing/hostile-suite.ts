import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { systemClock, type Clock } from "#common/clock.ts";
import { createLogger } from "#common/logger.ts";
import { ApplyPhase, PipelineState } from "#gen/vectorflow/agent/v1/report_pb.ts";
import { defaultLimits } from "../process/limits.ts";
import { HostilePlane, type BodyInit, type HostileSession } from "./hostile-plane.ts";
import { isAlive, startAgent, type StartedAgent } from "./agent-harness.ts";

/** For a busy machine; a good run never comes near it. */
export const slow = { timeout: 40_000, interval: 20 };
vi.setConfig({ testTimeout: 90_000 });

export const pipeline = (id: string, more: BodyInit = {}): BodyInit => ({
  pipelineId: id,
  hash: `hash of ${id}`,
  configYaml: `sources:
  in:
    type: demo_logs
    format: json
    interval: 0.2
sinks:
  out:
    type: blackhole
    inputs: [in]
`,
  ...more,
});

export const victim = pipeline("victim");

/** Everything that a case may look at. */
export interface Stage {
  readonly plane: HostilePlane;
  readonly agent: StartedAgent;
  readonly folder: string;
  /** What the agent logged: redials among it, with their pauses. */
  readonly lines: string[];
  /** Moves the host's clock. */
  setClock(offsetMs: number): void;
  readonly pid: number;
}

export interface HostileCase {
  readonly name: string;
  /** What the server does in a session that began well. */
  readonly act: (session: HostileSession, stage: Stage) => void | Promise<void>;
  /** The session is over by it, and another one must come. */
  readonly redials?: boolean;
  /** What must hold when all is well again. */
  readonly check?: (stage: Stage, session: HostileSession) => void | Promise<void>;
}

/** Redials and the wait for a welcome pass faster; heartbeats and verdicts of Vector keep their time. */
function faster(ms: number): number {
  if (ms < 500 || ms === defaultLimits.verdictMs) return ms;
  return ms === 10_000 ? 700 : ms / 60;
}

/** Waits for the nth and later beats of a session that was welcomed. */
async function beats(session: HostileSession, count = 1): Promise<void> {
  const before = session.of("heartbeat").length;
  await vi.waitFor(
    () => expect(session.of("heartbeat").length).toBeGreaterThanOrEqual(before + count),
    slow,
  );
}

/**
 * One agent with one running pipeline goes through all cases. After each, the same process still runs, the agent
 * lives, and its session does or has been redialled.
 */
export function hostileSuite(title: string, cases: readonly HostileCase[]): void {
  describe(`a hostile server: ${title}`, () => {
    let stage: Stage;
    let offsetMs = 0;
    beforeAll(async () => {
      const plane = new HostilePlane();
      plane.wanted = [victim];
      const folder = await mkdtemp(join(tmpdir(), "vectorflow-hostile-"));
      const lines: string[] = [];
      const clock: Clock = {
        now: () => new Date(Date.now() + offsetMs),
        sleep: (ms, signal) => systemClock.sleep(faster(ms), signal),
      };
      const log = createLogger((line) => lines.push(line), "info");
      const agent = await startAgent(await plane.start(), {
        dataDir: join(folder, "data"),
        deps: { clock, log },
      });
      await vi.waitFor(
        () =>
          expect(plane.last("victim")).toMatchObject({
            phase: ApplyPhase.APPLIED,
            state: PipelineState.RUNNING,
          }),
        slow,
      );
      stage = {
        plane,
        agent,
        folder,
        lines,
        setClock: (ms) => {
          offsetMs = ms;
        },
        pid: plane.last("victim")?.pid ?? 0,
      };
    });
    afterAll(async () => {
      await stage.agent.stop();
      await stage.plane[Symbol.asyncDispose]();
      await rm(stage.folder, { recursive: true, force: true });
    });

    test.each(cases)("$name", async ({ act, check, redials = false }) => {
      const { plane, lines, pid } = stage;
      const session = plane.session;
      if (session === undefined) throw new Error("there is no session");
      const sessions = plane.sessions.length;
      lines.length = 0;
      await act(session, stage);
      if (redials) {
        await vi.waitFor(() => expect(plane.sessions.length).toBeGreaterThan(sessions), slow);
        // It came back after a pause, and said so.
        expect(lines.join("")).toMatch(/pauseMs/);
      }
      await vi.waitFor(
        () => expect(plane.session?.of("heartbeat").length).toBeGreaterThan(0),
        slow,
      );
      await beats(plane.session ?? session);
      if (!redials) expect(plane.sessions.length).toBe(sessions);
      await check?.(stage, plane.session ?? session);
      expect(isAlive(pid)).toBe(true);
      expect(plane.last("victim")).toMatchObject({ pid, state: PipelineState.RUNNING });
      // What an honest server wants is still done.
      plane.sendState();
      await beats(plane.session ?? session);
      expect(isAlive(pid)).toBe(true);
    });
  });
}
