import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import {
  ApplyPhase,
  PipelineState,
  type PipelineReport,
} from "#gen/vectorflow/agent/v1/report_pb.ts";
import { applied, slow, wanted, yaml } from "./testing/agent-harness.ts";
import { processesNaming, spawnAgent } from "./testing/agent-process.ts";
import { FakeControlPlane } from "./testing/fake-control-plane.ts";

const restarting = `timezone: Europe/Rome\n${yaml(0.5)}`;
const reloading = yaml(0.25);
const refused = yaml(0.5).replace("blackhole", "blackhoel");

/** Where the agent is in an apply, by what it logs; the change that leads there; and where it must end. */
const steps = [
  ["the body is stored", '"phase":"received"', restarting, 2],
  ["Vector has validated", '"phase":"validated"', restarting, 2],
  ["it begins to apply", '"phase":"applying"', restarting, 2],
  ["it stops the old process", '"step":"stop"', restarting, 2],
  ["it starts the new process", '"step":"start"', restarting, 2],
  ["the restarted one is on probation", '"step":"probation"', restarting, 2],
  ["it commits the restart", '"step":"commit"', restarting, 2],
  ["it reloads", '"step":"reload"', reloading, 2],
  ["the reloaded one is on probation", '"step":"probation"', reloading, 2],
  ["it commits the reload", '"step":"commit"', reloading, 2],
  ["it writes down a refusal", '"step":"commit"', refused, 1],
] as const;

describe.concurrent("an agent that is killed in the middle of an apply", () => {
  test.for(steps)(
    "when %s, finishes or goes back: one process, one version (A9)",
    async ([, line, text, version], context) => {
      const folder = await mkdtemp(join(tmpdir(), "vectorflow-crash-"));
      await using plane = new FakeControlPlane();
      const server = await plane.start();
      const config = join(folder, "pipelines/p1/vector.yaml");
      // Nobody else ends what a killed agent started, when the test fails before the next one does.
      context.onTestFinished(() => processesNaming(config).forEach(killIfAlive));
      {
        const agent = spawnAgent(server, folder);
        plane.want(wanted(1, yaml(0.5)));
        await applied(plane, 1);
        const reached = Promise.withResolvers<void>();
        agent.watch((logged) => {
          if (!logged.includes(line)) return false;
          agent.child.kill("SIGKILL");
          reached.resolve();
          return true;
        });
        plane.want(wanted(2, text));
        await reached.promise;
        await agent.kill("SIGKILL");
      }
      plane.reports.length = 0;
      {
        await using _agent = spawnAgent(server, folder, ["--drain-limit", "4"]);
        await vi.waitFor(
          () => {
            const report = plane.last("p1");
            context.expect(report).toMatchObject({
              effectiveVersion: version,
              state: version === 2 ? PipelineState.RUNNING : PipelineState.HELD,
              phase: version === 2 ? ApplyPhase.APPLIED : ApplyPhase.FAILED,
            });
            context.expect(processesNaming(config)).toEqual([report?.pid]);
          },
          { ...slow, timeout: 25_000 },
        );
      }
      context.expect(processesNaming(config)).toEqual([]);
      await rm(folder, { recursive: true, force: true });
    },
  );
});

/** The loopback ports in the configurations of the processes that live. */
async function portsInUse(configs: readonly string[]): Promise<readonly string[]> {
  const texts = await Promise.all(
    configs
      .filter((config) => processesNaming(config).length > 0)
      .map((config) => readFile(config, "utf8").catch(() => "")),
  );
  return texts.flatMap((text) => [...text.matchAll(/127\.0\.0\.1:\d+/g)].map(([port]) => port));
}

/** What a failure of the test must show. */
function told(report: PipelineReport | undefined) {
  const { state, phase, effectiveVersion, attemptedVersion, reason, restarts } = report ?? {};
  return { state, phase, effectiveVersion, attemptedVersion, reason, restarts };
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}

test("200 rounds of crashes, redeploys and starts share no port and leave no orphan (A7)", async () => {
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-rounds-"));
  const ids = ["p1", "p2", "p3"];
  const configs = ids.map((id) => join(folder, "pipelines", id, "vector.yaml"));
  await using plane = new FakeControlPlane();
  const server = await plane.start();
  let agent = spawnAgent(server, folder, ["--drain-limit", "2"]);
  const check = async (): Promise<void> => {
    for (const config of configs) expect(processesNaming(config).length).toBeLessThan(2);
    const ports = await portsInUse(configs);
    expect(new Set(ports).size).toBe(ports.length);
  };
  try {
    for (let round = 1; round <= 200; round++) {
      const heard = plane.messages.length;
      if (round % 25 === 0) {
        await agent.kill("SIGKILL");
        agent = spawnAgent(server, folder, ["--drain-limit", "2"]);
      } else if (round % 3 === 0) {
        for (const pid of configs.flatMap((config) => processesNaming(config))) killIfAlive(pid);
      } else {
        // One of the three is taken away in turn, and a global option forces a new process.
        const zone = round % 2 === 0 ? "UTC" : "Europe/Rome";
        const listed = ids.filter((_, index) => round % 5 !== index);
        plane.want(...listed.map((id) => wanted(round, `timezone: ${zone}\n${yaml(5)}`, { id })));
      }
      await check();
      // Not at a pace: the next round comes while the agent is still at work on this one.
      await vi.waitFor(() => expect(plane.messages.length).toBeGreaterThan(heard), slow);
    }
    plane.want(...ids.map((id) => wanted(500, yaml(5), { id })));
    for (const id of ids) {
      await vi.waitFor(
        () =>
          expect(told(plane.last(id))).toMatchObject({
            state: PipelineState.RUNNING,
            effectiveVersion: 500,
          }),
        { ...slow, timeout: 60_000 },
      );
    }
    await check();
  } finally {
    await agent.kill("SIGTERM");
  }
  expect(configs.flatMap((config) => processesNaming(config))).toEqual([]);
  await rm(folder, { recursive: true, force: true });
}, 300_000);
