import { describe, expect, inject, test } from "vitest";
import { FakeClock } from "#common/clock.ts";
import { silentLogger } from "#common/logger.ts";
import { LiveService } from "#gen/vectorflow/v1/live_service_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { parseConfig } from "../config.ts";
import { componentRates, listLivePipelines } from "../live/live-pipelines.ts";
import { startServer } from "../server.ts";
import { createTestDatabase } from "../testing/database.ts";
import { eventually } from "../testing/eventually.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { openSql, seedNodes } from "../testing/seed.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";

const yaml = `sources:
  in: {type: demo_logs, format: json}
sinks:
  out: {type: blackhole, inputs: [in]}
`;

/** A pipeline that is deployed and runs on one host, and its picture in the live stream. */
async function running(server: TestServer) {
  const admin = await setUp(server);
  const pipelines = server.client(PipelineService, admin.token);
  const { pipeline } = await pipelines.createPipeline({
    environmentId: admin.environmentId,
    name: "Deployed",
    yaml,
  });
  const id = pipeline?.summary?.id ?? "";
  await pipelines.deployPipeline({ id });
  const agent = new FakeAgent(server.server.agentUrl, "host");
  await agent.enroll(admin.enrollmentToken);
  await agent.connect();
  await eventually(() => expect(agent.held.has(id)).toBe(true));
  agent.heartbeat(500, ["in", "out"]);
  const picture = async () => {
    const stop = new AbortController();
    const { environmentId } = admin;
    const stream = server.client(LiveService, admin.token).watch({ environmentId }, stop);
    for await (const message of stream) {
      if (!message.synced) continue;
      stop.abort();
      return message.pipelines.find(({ summary }) => summary?.id === id);
    }
    throw new Error("the stream ended before it was complete");
  };
  await eventually(async () => {
    expect(await picture()).toMatchObject({ nodesRunning: 1, nodesCurrent: 1, nodesDesired: 1 });
    expect((await picture())?.rates?.eventsIn).toBe(100);
  });
  return { ...admin, pipelines, id, agent, picture };
}

test("after a start nobody is called unreachable before the grace is over, and then who is silent (S6)", async () => {
  await using database = await createTestDatabase(inject("templateUrl"));
  await using sql = await openSql(database.url);
  await sql.query(`insert into "Team" ("id", "name") values ('t', 'T')`);
  await sql.query(`insert into "Environment" ("id", "name", "teamId") values ('e', 'E', 't')`);
  await seedNodes(sql, "e", 1);
  await sql.query(`update "VectorNode" set "lastHeartbeat" = now() - interval '1 hour'`);
  const clock = new FakeClock(new Date());
  const { config } = parseConfig({
    VECTORFLOW_DATABASE_URL: database.url,
    VECTORFLOW_SECRET: "a secret of forty characters for testing",
    VECTORFLOW_HTTP_LISTEN: "127.0.0.1:0",
    VECTORFLOW_AGENT_LISTEN: "127.0.0.1:0",
  });
  await using _server = await startServer(config, silentLogger, { clock });
  const status = async (): Promise<unknown> =>
    (await sql.query(`select "status" from "VectorNode"`))[0];
  // The loops of the leader are waiting, among them the one that looks at leases.
  await eventually(async () => {
    const locks = await sql.query(
      `select 1 from pg_locks l join pg_database d on d.oid = l.database
       where l.locktype = 'advisory' and d.datname = current_database()`,
    );
    expect(locks).toHaveLength(1);
    expect(clock.sleeping).toBeGreaterThanOrEqual(4);
  });
  // The lease of a small fleet is 15 seconds, and 5 more are for the longest pause between tries.
  for (let second = 0; second < 19; second += 1) {
    clock.advance(1000);
    expect(await status()).toEqual({ status: "HEALTHY" });
  }
  await eventually(async () => {
    clock.advance(1000);
    expect(await status()).toEqual({ status: "UNREACHABLE" });
  });
});

describe("totals", () => {
  test("do not count a host whose token was revoked as one that applied (S6)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { picture, agent } = await running(server);
    await using sql = await openSql(server.databaseUrl);
    await sql.query(`update "VectorNode" set "nodeTokenHash" = null`);
    await eventually(async () => {
      const after = await picture();
      expect(after).toMatchObject({ nodesDesired: 0, nodesRunning: 0, nodesCurrent: 0 });
      expect(after?.rates).toBeUndefined();
    });
    await agent[Symbol.asyncDispose]();
  });

  test("never mix what is deployed with drafts and with what was undeployed (S6)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { agent, pipelines, environmentId, token, id } = await running(server);
    await pipelines.createPipeline({ environmentId, name: "Draft", yaml });
    const nodes = server.client(NodeService, token);
    const totals = async () => (await nodes.listNodes({ environmentId })).nodes[0];
    expect(await totals()).toMatchObject({ pipelinesRunning: 1, pipelinesTotal: 1 });
    // The host goes on running what was undeployed while it does not listen.
    agent.pause();
    await pipelines.undeployPipeline({ id });
    expect(await totals()).toMatchObject({ pipelinesRunning: 0, pipelinesTotal: 0 });
    await agent[Symbol.asyncDispose]();
  });
});

test("a rate is that of the newest interval, and an old one is no rate at all (S4)", async () => {
  await using server = await startTestServer(inject("templateUrl"));
  const { agent, environmentId, id } = await running(server);
  const em = () => server.server.deps.orm.em.fork();
  const rateAt = async (at: Date): Promise<number | null | undefined> =>
    (await listLivePipelines(em(), environmentId, at)).find((row) => row.id === id)?.eventsIn;
  // The newest interval had fewer events: it is not averaged with the one before.
  agent.heartbeat(50, ["in", "out"]);
  await eventually(async () => expect(await rateAt(new Date())).toBe(10));
  const later = new Date(Date.now() + 60_000);
  expect(await rateAt(later)).toBeNull();
  expect(await componentRates(em(), id, later)).toEqual([]);
  await agent[Symbol.asyncDispose]();
});
