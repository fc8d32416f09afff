import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { CheckVerdict, type CheckConfig } from "#gen/vectorflow/agent/v1/check_pb.ts";
import { Capability } from "#gen/vectorflow/agent/v1/session_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import {
  HostVerdict,
  PreviewService,
  type PreviewOnHostsResponse,
} from "#gen/vectorflow/v1/preview_service_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";
import { newId } from "../db/columns.ts";
import { eventually } from "../testing/eventually.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { newMemberToken } from "../testing/new-member.ts";
import { demoYaml } from "../testing/running-host.ts";
import { openSql, type Sql } from "../testing/seed.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";

const yaml = demoYaml.replace("format: json", 'format: json\n    lines: ["SECRET[token]"]');

let server: TestServer;
let other: TestServer;
let admin: Awaited<ReturnType<typeof setUp>>;
let sql: Sql;
let pipelineId: string;
const agents: FakeAgent[] = [];

beforeAll(async () => {
  // Agents of the tests send no heartbeats; none shall be called unreachable for that.
  const patient = { VECTORFLOW_HEARTBEAT_INTERVAL_MS: "60000" };
  server = await startTestServer(inject("templateUrl"), patient);
  admin = await setUp(server);
  other = await startTestServer(inject("templateUrl"), {
    ...patient,
    VECTORFLOW_DATABASE_URL: server.databaseUrl,
  });
  sql = await openSql(server.databaseUrl);
  const { environmentId } = admin;
  await server
    .client(SecretService, admin.token)
    .createSecret({ environmentId, name: "token", value: "the value" });
  const { pipeline } = await server
    .client(PipelineService, admin.token)
    .createPipeline({ environmentId, name: "Logs", yaml });
  pipelineId = pipeline?.summary?.id ?? "";
  // Two on this replica, one on the other, an old one, and one that has gone.
  const places = [server, server, other, server, server];
  for (const [index, place] of places.entries()) {
    const agent = new FakeAgent(place.server.agentUrl, newId());
    agents.push(agent);
    agent.capabilities = index === 3 ? [] : [Capability.CHECK_CONFIG];
    await agent.enroll(admin.enrollmentToken, `host-${index}`);
    await agent.connect();
    agent.heartbeat();
  }
  agents[4]?.drop();
  await eventually(async () => {
    const rows = await sql.query(`select 1 from "VectorNode" where "sessionId" is not null`);
    expect(rows).toHaveLength(4);
  });
});

afterAll(async () => {
  for (const agent of agents) await agent[Symbol.asyncDispose]();
  await sql[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** What each host is asked, and how it answers. */
function answering(verdictOf: (index: number, check: CheckConfig) => object | undefined): void {
  agents.forEach((agent, index) => {
    agent.onMessage = (message) => {
      if (message.case !== "checkConfig") return;
      const { checkId } = message.value;
      const answer = verdictOf(index, message.value);
      if (answer !== undefined) {
        agent.send({ case: "checkResult", value: { checkId, ...answer } });
      }
    };
  });
}

const accepted = { verdict: CheckVerdict.ACCEPTED, vectorVersion: "0.58.0" };
const refused = {
  verdict: CheckVerdict.REFUSED,
  reason: "Vector refuses the configuration",
  problems: [{ componentId: "out", field: "inputs", message: "unknown \u001b[31minput" }],
  vectorVersion: "0.50.0",
};

const ask = (at: TestServer = server, more: object = {}, signal?: AbortSignal) =>
  at
    .client(PreviewService, admin.token)
    .previewOnHosts({ pipelineId, yaml, ...more }, signal === undefined ? {} : { signal });

const groupsOf = (preview: PreviewOnHostsResponse | undefined) =>
  preview?.groups.map(({ verdict, componentKey, message, nodeNames, nodeCount }) => [
    verdict,
    componentKey,
    message,
    nodeNames.join(),
    nodeCount,
  ]);

describe("asking hosts", () => {
  test("each gets the candidate with its secrets, whichever replica has it, and answers are grouped", async () => {
    const asked: CheckConfig[] = [];
    answering((index, check) => {
      asked.push(check);
      return index === 0 ? accepted : refused;
    });
    const before = agents.map(({ desired }) => desired.length);
    const previews = await Array.fromAsync(ask());
    expect(previews[0]).toMatchObject({
      targetCount: 5,
      askedCount: 3,
      tooOldCount: 1,
      notConnectedCount: 1,
      done: false,
    });
    expect(previews.at(-1)).toMatchObject({ answeredCount: 3, acceptedCount: 1, done: true });
    expect(groupsOf(previews.at(-1))).toEqual([
      [HostVerdict.REFUSED, "out", "unknown \ufffd[31minput", "host-1,host-2", 2],
      [HostVerdict.TOO_OLD, "", "its agent is too old to be asked: update it", "host-3", 1],
      [HostVerdict.NOT_CONNECTED, "", "it is not connected", "host-4", 1],
      [HostVerdict.ACCEPTED, "", "", "host-0", 1],
    ]);
    expect(asked).toHaveLength(3);
    expect(Buffer.from(asked[0]?.body?.secrets["token"] ?? "").toString()).toBe("the value");
    expect(asked[0]?.body?.configYaml).toContain("SECRET[token]");
    // Nothing is applied, and nothing is left.
    expect(agents.map(({ desired }) => desired.length)).toEqual(before);
    expect(await sql.query(`select 1 from "HostCheck"`)).toEqual([]);
    expect(await sql.query(`select 1 from "HostCheckAnswer"`)).toEqual([]);
    const audits = await sql.query<{ metadata: object }>(
      `select "metadata" from "AuditLog" where "action" = 'pipeline.checked_on_hosts'`,
    );
    expect(audits).toMatchObject([{ metadata: { askedNodes: 3, targetNodes: 5 } }]);
  });

  test("works from the replica that has only one of them", async () => {
    answering(() => accepted);
    const previews = await Array.fromAsync(ask(other));
    expect(previews.at(-1)).toMatchObject({ answeredCount: 3, acceptedCount: 3, done: true });
  });

  test("tells of answers as they come", async () => {
    answering((index) => (index === 0 ? accepted : undefined));
    const seen: number[] = [];
    let told = false;
    for await (const preview of ask()) {
      seen.push(preview.answeredCount);
      if (preview.answeredCount === 1 && !told) {
        told = true;
        const [, second, third] = agents;
        for (const agent of [second, third]) {
          const message = agent?.messages.at(-1)?.message;
          if (message?.case !== "checkConfig") throw new Error("it was not asked");
          const { checkId } = message.value;
          agent?.send({ case: "checkResult", value: { checkId, ...refused } });
        }
      }
    }
    expect(seen.slice(0, 2)).toEqual([0, 1]);
    expect(seen.at(-1)).toBe(3);
  });

  test("hosts are told when the caller has left, and nothing is kept", async () => {
    answering(() => undefined);
    const orders = (kind: string) =>
      agents.map(({ messages }) => messages.filter(({ message }) => message.case === kind).length);
    const since = (before: readonly number[], kind: string) =>
      orders(kind).map((count, index) => count - (before[index] ?? 0));
    const cancelled = orders("checkCancel");
    const ordered = orders("checkConfig");
    const left = new AbortController();
    const stream = ask(server, {}, left.signal)[Symbol.asyncIterator]();
    await stream.next();
    await eventually(() => expect(since(ordered, "checkConfig")).toEqual([1, 1, 1, 0, 0]));
    left.abort();
    await stream.next().catch(() => {});
    await eventually(() => expect(since(cancelled, "checkCancel")).toEqual([1, 1, 1, 0, 0]));
    await eventually(async () => expect(await sql.query(`select 1 from "HostCheck"`)).toEqual([]));
  });

  test("a text with errors reaches no host, and a viewer may not ask", async () => {
    let asked = 0;
    answering(() => {
      asked += 1;
      return accepted;
    });
    const broken = await Array.fromAsync(ask(server, { yaml: "sources: {}\n" })).catch(
      (error: unknown) => ConnectError.from(error).code,
    );
    expect(broken).toBe(Code.InvalidArgument);
    const viewer = await newMemberToken(server, admin.teamId, "VIEWER");
    const refusedCall = await Array.fromAsync(
      server.client(PreviewService, viewer).previewOnHosts({ pipelineId, yaml }),
    ).catch((error: unknown) => ConnectError.from(error).code);
    expect(refusedCall).toBe(Code.PermissionDenied);
    expect(asked).toBe(0);
  });

  test("at most three questions of an environment are under way", async () => {
    answering(() => undefined);
    const left = new AbortController();
    const open = [];
    for (let index = 0; index < 3; index += 1) {
      const stream = ask(server, {}, left.signal)[Symbol.asyncIterator]();
      await stream.next();
      open.push(stream);
    }
    const fourth = await Array.fromAsync(ask()).catch(
      (error: unknown) => ConnectError.from(error).code,
    );
    expect(fourth).toBe(Code.ResourceExhausted);
    left.abort();
    for (const stream of open) await stream.next().catch(() => {});
  });
});
