import http from "node:http";
import pg from "pg";
import { describe, expect, inject, test } from "vitest";
import { systemClock } from "#common/clock.ts";
import { silentLogger } from "#common/logger.ts";
import { LiveService, type WatchResponse } from "#gen/vectorflow/v1/live_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { Passwords } from "./auth/passwords.ts";
import { hashToken } from "./auth/tokens.ts";
import { ServerMetrics } from "./health/server-metrics.ts";
import type { ComponentRow } from "./metrics/ingest-rows.ts";
import { Ingest, type Beat } from "./metrics/ingest.ts";
import { PipelineCompiler } from "./configuration/compiler.ts";
import { createTestDatabase, openPool } from "./testing/database.ts";
import { eventually } from "./testing/eventually.ts";
import { FakeAgent } from "./testing/fake-agent.ts";
import { openSql, seedNodes, type Sql } from "./testing/seed.ts";
import { setUp, startTestServer } from "./testing/test-server.ts";

const yaml = (interval = "1"): string => `sources:
  in: {type: demo_logs, format: json, interval: ${interval}}
sinks:
  out: {type: blackhole, inputs: [in]}
`;

/** How often the event loop turns while work is under way: hardly ever when the work blocks it. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let working = true;
  const turn = (): void => {
    turns += 1;
    if (working) setImmediate(turn);
  };
  setImmediate(turn);
  await work().finally(() => {
    working = false;
  });
  return turns;
}

describe("the event loop", () => {
  test("turns while passwords are hashed and compared (S8)", async () => {
    const passwords = new Passwords();
    let hash = "";
    const hashing = await turnsDuring(async () => {
      hash = await passwords.hash("correct horse battery staple");
    });
    const comparing = await turnsDuring(() => passwords.verify("wrong", hash));
    expect({ hashing, comparing }).toEqual({
      hashing: expect.toSatisfy((turns) => turns > 50),
      comparing: expect.toSatisfy((turns) => turns > 50),
    });
  });

  test("turns while a large text, and one that blows up, is checked (S8)", async () => {
    await using compiler = new PipelineCompiler(1500);
    const context = { secretNames: new Set<string>(), certificateNames: new Set<string>() };
    const filters = Array.from(
      { length: 2000 },
      (_, at) => `  f${at}: {type: filter, inputs: [in], condition: 'true', wrong: ${at}}\n`,
    );
    const large = yaml().replace("sinks:", `transforms:\n${filters.join("")}sinks:`);
    const turns = await turnsDuring(() => compiler.compile(large, context).catch(() => {}));
    expect(turns).toBeGreaterThan(50);
    // A pattern that a matcher with backtracking never finishes.
    const pattern = `${"*a".repeat(40)}b`;
    const key = "a".repeat(120);
    const blowUp = `sources:\n  ${key}: {type: demo_logs, format: json}\nsinks:\n  out: {type: blackhole, inputs: ["${pattern}"]}\n`;
    const blown = await turnsDuring(() => compiler.compile(blowUp, context).catch(() => {}));
    expect(blown).toBeGreaterThan(50);
  });

  test("has no password hash to compute for an agent: tokens are found by their SHA-256 (S8)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { enrollmentToken } = await setUp(server);
    await using agent = new FakeAgent(server.server.agentUrl, "host");
    const { nodeToken } = await agent.enroll(enrollmentToken);
    await using sql = await openSql(server.databaseUrl);
    expect(await sql.query(`select "nodeTokenHash" as "hash" from "VectorNode"`)).toEqual([
      { hash: hashToken(nodeToken) },
    ]);
  });
});

/** Connections that count the statements sent through them. */
function countingPool(connectionString: string) {
  const sent: string[] = [];
  class CountingClient extends pg.Client {
    override query(...args: unknown[]): never {
      sent.push(String(args[0]));
      return (super.query as (...args: unknown[]) => never).apply(this, args);
    }
  }
  return { pool: openPool(connectionString, 1, { Client: CountingClient }), sent };
}

function beatOf(node: number, pipelines: number): Beat {
  const at = new Date();
  const nodeId = `n${node}`;
  const of = (pipeline: number) => ({ nodeId, environmentId: "e", pipelineId: `p${pipeline}`, at });
  const rates = { eventsIn: 1, eventsOut: 1, bytesIn: 1, bytesOut: 1, errors: 0, discarded: 0 };
  const component = (pipeline: number, componentKey: string): ComponentRow => ({
    ...of(pipeline),
    componentKey,
    kind: "SOURCE",
    intervalMs: 5000,
    ...rates,
    dropped: 0,
    utilization: null,
  });
  const all = Array.from({ length: pipelines }, (_, index) => index + 1);
  return {
    node: { nodeId, at, status: "HEALTHY", reasons: [], usage: undefined, lostLogLines: 0 },
    metric: undefined,
    pipelines: all.map((pipeline) => ({
      ...of(pipeline),
      status: "RUNNING",
      condition: null,
      version: 1,
      effectiveHash: "h",
      restarts: 0,
      uptimeSeconds: 1,
      rates,
    })),
    components: all.flatMap((pipeline) => ["in", "out"].map((key) => component(pipeline, key))),
  };
}

async function seedFleet(sql: Sql, nodes: number, pipelines: number): Promise<void> {
  await sql.query(`insert into "Team" ("id", "name") values ('t', 'T')`);
  await sql.query(`insert into "Environment" ("id", "name", "teamId") values ('e', 'E', 't')`);
  await seedNodes(sql, "e", nodes);
  await sql.query(
    `insert into "Pipeline" ("id", "name", "environmentId", "yaml")
     select 'p' || i, 'P' || i, 'e', '' from generate_series(1, $1::int) i`,
    [pipelines],
  );
}

test("heartbeats cost as many statements for two hundred hosts as for one (S9)", async () => {
  await using database = await createTestDatabase(inject("templateUrl"));
  await using sql = await openSql(database.url);
  await seedFleet(sql, 200, 10);
  const { pool, sent } = countingPool(database.url);
  const metrics = new ServerMetrics({ total: 0, idle: 0, waiting: 0 });
  const ingest = new Ingest({ pool, clock: systemClock, log: silentLogger, metrics });
  const statementsOf = async (nodes: number): Promise<number> => {
    sent.length = 0;
    for (let node = 1; node <= nodes; node += 1) ingest.addBeat(beatOf(node, 10));
    await ingest.flush();
    return sent.length;
  };
  const one = await statementsOf(1);
  expect(await statementsOf(200)).toBe(one);
  expect(one).toBeLessThanOrEqual(6);
  await pool.end();
  const [written] = await sql.query(`select count(*)::int as "rows" from "PipelineMetric"`);
  expect(written).toEqual({ rows: 201 * 10 * 2 });
});

test("a deploy writes as many rows for two thousand hosts as for two (S10)", async () => {
  await using server = await startTestServer(inject("templateUrl"));
  const { token, environmentId } = await setUp(server);
  await using sql = await openSql(server.databaseUrl);
  const pipelines = server.client(PipelineService, token);
  const { pipeline } = await pipelines.createPipeline({ environmentId, name: "P", yaml: yaml() });
  const id = pipeline?.summary?.id ?? "";
  const tables = await sql.query<{ name: string }>(
    `select tablename as "name" from pg_tables where schemaname = 'public'`,
  );
  /** Rows of any table that a transaction after the given one has written. */
  const rowsOfDeploy = async (): Promise<number> => {
    const [before] = await sql.query<{ id: string }>(`select pg_current_xact_id()::text as "id"`);
    await pipelines.deployPipeline({ id });
    let rows = 0;
    for (const { name } of tables) {
      const [found] = await sql.query<{ count: number }>(
        `select count(*)::int as "count" from "${name}" where xmin::text::int8 > $1::int8`,
        [before?.id],
      );
      rows += found?.count ?? 0;
    }
    return rows;
  };
  await seedNodes(sql, environmentId, 2);
  const two = await rowsOfDeploy();
  await sql.query(`delete from "VectorNode"`);
  await seedNodes(sql, environmentId, 2000);
  expect(await rowsOfDeploy()).toBe(two);
  // Version, pipeline, generation of the environment, audit, idempotency key.
  expect(two).toBe(5);
});

describe("somebody slow", () => {
  test("in front of a browser delays no other (S12)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token, environmentId } = await setUp(server);
    await using sql = await openSql(server.databaseUrl);
    // A picture that fills every buffer between the server and one who does not read.
    await seedNodes(sql, environmentId, 20_000);
    const json = Buffer.from(JSON.stringify({ environmentId }));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(json.length, 1);
    const request = http.request(`${server.server.webUrl}/vectorflow.v1.LiveService/Watch`, {
      method: "POST",
      headers: { "content-type": "application/connect+json", authorization: `Bearer ${token}` },
    });
    request.on("error", () => {});
    request.end(Buffer.concat([head, json]));
    const response = await new Promise<http.IncomingMessage>((resolve) =>
      request.once("response", resolve),
    );
    response.pause();
    const stop = new AbortController();
    const watch = server.client(LiveService, token).watch({ environmentId }, stop);
    const messages = watch[Symbol.asyncIterator]();
    const next = async () => (await messages.next()).value as WatchResponse | undefined;
    for (;;) if ((await next())?.synced === true) break;
    await server
      .client(PipelineService, token)
      .createPipeline({ environmentId, name: "Seen", yaml: yaml() });
    for (;;) {
      const message = await next();
      if (message === undefined) throw new Error("the stream ended");
      if (message.pipelines.some(({ summary }) => summary?.name === "Seen")) break;
    }
    expect(response.readableEnded).toBe(false);
    stop.abort();
    request.destroy();
  });

  test("on a host delays no other, and costs one state instead of a queue (S12)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token, environmentId, enrollmentToken } = await setUp(server);
    const pipelines = server.client(PipelineService, token);
    const { pipeline } = await pipelines.createPipeline({ environmentId, name: "P", yaml: yaml() });
    const id = pipeline?.summary?.id ?? "";
    await using slow = new FakeAgent(server.server.agentUrl, "slow");
    await using quick = new FakeAgent(server.server.agentUrl, "quick");
    for (const agent of [slow, quick]) {
      await agent.enroll(enrollmentToken);
      await agent.connect();
    }
    slow.pause();
    // More than the buffers between a server and a host that does not read.
    const padding = "x".repeat(300_000);
    let revision = pipeline?.revision ?? "";
    const deploys = 20;
    for (let deploy = 1; deploy <= deploys; deploy += 1) {
      const saved = await pipelines.updatePipeline({
        id,
        revision,
        yaml: yaml(String(deploy)).replace("json", `shuffle, lines: [${padding}]`),
      });
      revision = saved.pipeline?.revision ?? "";
      await pipelines.deployPipeline({ id });
      await eventually(() => expect(quick.held.get(id)?.version).toBe(deploy));
    }
    slow.resume();
    await eventually(() => expect(slow.held.get(id)?.version).toBe(deploys));
    expect(slow.desired.length).toBeLessThan(deploys);
  });
});
