import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { NodeStatus } from "#gen/vectorflow/v1/node_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { DeployStep, ProcessState } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import {
  clientOf,
  exitOf,
  launch,
  sooner,
  temporaryDataDir,
  type Launched,
} from "./launched-stack.ts";
import { onlyPid, pidsOf, processesOf } from "./processes.ts";

/** The product as `npm start` runs it, with the demo pipeline on this host. The tests are steps on one stack. */
describe("kill -9", () => {
  let dataDir: Awaited<ReturnType<typeof temporaryDataDir>>;
  let launched: Launched;
  let base: string;
  let session: string;
  let environmentId: string;
  let pipelineId: string;

  beforeAll(async () => {
    dataDir = await temporaryDataDir("recovery");
    launched = await launch(dataDir.path);
    const url = new URL(launched.url);
    base = url.origin;
    const auth = clientOf(AuthService, base);
    const login = { email: "admin@example.com", password: "correct horse battery staple" };
    const done = await auth.completeSetup({
      ...login,
      setupToken: url.searchParams.get("token") ?? "",
      name: "Admin",
      teamName: "Platform",
      environmentName: "Production",
      createDemoPipeline: true,
    });
    environmentId = done.environmentId;
    pipelineId = done.demoPipelineId;
    session = (await auth.login(login)).sessionToken;
    await allIsWell();
  });

  afterAll(async () => {
    launched.process.kill("SIGINT");
    await exitOf(launched.process);
    await dataDir[Symbol.asyncDispose]();
  });

  /**
   * The host was heard of since a moment, is healthy and runs the deployed version, in one process of each kind;
   * returns their ids.
   */
  async function allIsWell(sinceMs = 0) {
    return sooner(async () => {
      const nodes = clientOf(NodeService, base, session);
      const listed = await nodes.listNodes({ environmentId });
      expect(listed.nodes).toMatchObject([{ status: NodeStatus.HEALTHY, pipelinesRunning: 1 }]);
      const [node] = listed.nodes;
      expect(Number(node?.lastSeenTime?.seconds ?? 0) * 1000).toBeGreaterThan(sinceMs);
      const { pipeline, nodes: statuses } = await clientOf(
        PipelineService,
        base,
        session,
      ).getPipeline({ id: pipelineId });
      expect(pipeline).toMatchObject({
        summary: { deployedVersion: 1, draft: false, changed: false },
      });
      expect(statuses).toMatchObject([
        { step: DeployStep.HEALTHY, state: ProcessState.RUNNING, effectiveVersion: 1 },
      ]);
      return {
        server: onlyPid(dataDir.path, "server"),
        agent: onlyPid(dataDir.path, "agent"),
        vector: onlyPid(dataDir.path, "vector"),
        postgres: onlyPid(dataDir.path, "postgres"),
      };
    });
  }

  /** Kills one part, waits for its successor, and returns who runs before and after. */
  async function killed(part: "server" | "agent" | "vector" | "postgres") {
    const before = await allIsWell();
    process.kill(before[part], "SIGKILL");
    await sooner(() => expect(pidsOf(dataDir.path, part)).not.toContain(before[part]));
    await sooner(() => expect(onlyPid(dataDir.path, part)).not.toBe(before[part]));
    return { before, after: await allIsWell(Date.now()) };
  }

  test("of the server: it comes back by itself at the same address, and no pipeline notices (P2)", async () => {
    const { before, after } = await killed("server");
    expect(after).toMatchObject({ vector: before.vector, agent: before.agent });
  });

  test("of the database: server and database come back by themselves, and no pipeline notices (P2)", async () => {
    const { before, after } = await killed("postgres");
    expect(after).toMatchObject({ vector: before.vector, agent: before.agent });
  });

  test("of the agent: it comes back by itself, with its pipeline and no double (A9)", async () => {
    const { before, after } = await killed("agent");
    expect(after.server).toBe(before.server);
  });

  test("of Vector: the agent starts it again (A8)", async () => {
    const { before, after } = await killed("vector");
    expect(after).toMatchObject({ server: before.server, agent: before.agent });
  });

  test("of the launcher: nothing is left behind, and the next start has everything back (A9)", async () => {
    await allIsWell();
    launched.process.kill("SIGKILL");
    await sooner(() => expect(processesOf(dataDir.path)).toEqual([]));
    launched = await launch(dataDir.path);
    base = new URL(launched.url).origin;
    expect(launched.url).not.toContain("setup");
    await allIsWell();
  });

  test("one Ctrl-C ends all of it within ten seconds", async () => {
    await allIsWell();
    const started = performance.now();
    launched.process.kill("SIGINT");
    expect(await exitOf(launched.process)).toBe(0);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(processesOf(dataDir.path)).toEqual([]);
  });
});
