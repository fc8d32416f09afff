import { Code, ConnectError } from "@connectrpc/connect";
import { status } from "@grpc/grpc-js";
import { describe, expect, inject, test } from "vitest";
import { LogLevel } from "#gen/vectorflow/agent/v1/log_pb.ts";
import { ApplyPhase } from "#gen/vectorflow/agent/v1/report_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { LogService } from "#gen/vectorflow/v1/log_service_pb.ts";
import { NodeStatus } from "#gen/vectorflow/v1/node_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { DeployStep } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { eventually } from "../testing/eventually.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";

const yaml = `sources:
  in:
    type: demo_logs
    format: json
sinks:
  out:
    type: blackhole
    inputs: ["*"]
`;

async function withPipeline(server: TestServer) {
  const admin = await setUp(server);
  const pipelines = server.client(PipelineService, admin.token);
  const { pipeline } = await pipelines.createPipeline({
    environmentId: admin.environmentId,
    name: "Logs",
    yaml,
  });
  const id = pipeline?.summary?.id ?? "";
  return { ...admin, pipelines, id };
}

async function enrolled(server: TestServer, token: string, name: string): Promise<FakeAgent> {
  const agent = new FakeAgent(server.server.agentUrl, name);
  await agent.enroll(token);
  await agent.connect();
  return agent;
}

describe("Enroll", () => {
  test("refuses an unknown token, and the audit keeps one row of it", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await setUp(server);
    await using agent = new FakeAgent(server.server.agentUrl, "host");
    await expect(agent.enroll("vfe_wrong")).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    await expect(agent.enroll("vfe_wrong")).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    const rows = await server.server.deps.orm.em
      .fork()
      .execute(`select 1 from "AuditLog" where "action" = 'node.enrollment_refused'`);
    expect(rows).toHaveLength(1);
  });

  test("tells whether a token is good before it minds the machine, so that asking uses nothing up", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { enrollmentToken } = await setUp(server);
    await using agent = new FakeAgent(server.server.agentUrl, "no machine id");
    const answer = async (token: string): Promise<unknown> =>
      await agent.enroll(token).catch((error: { readonly code: status }) => error.code);
    expect(await answer(enrollmentToken)).toBe(status.INVALID_ARGUMENT);
    expect(await answer("vfe_wrong")).toBe(status.UNAUTHENTICATED);
    const em = server.server.deps.orm.em.fork();
    expect(await em.execute(`select 1 from "VectorNode"`)).toEqual([]);
  });

  test("gives a machine its node back with a new token and ends the old one's session", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { enrollmentToken } = await setUp(server);
    await using first = await enrolled(server, enrollmentToken, "host");
    await using second = new FakeAgent(server.server.agentUrl, "host");
    const again = await second.enroll(enrollmentToken);
    expect(again.nodeId).toBe(first.identity?.nodeId);
    expect((await first.ended)?.code).toBe(status.UNAUTHENTICATED);
    await expect(first.connect()).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  });
});

describe("Session", () => {
  test("pushes a deploy with its body once, and an undeploy as a manifest without it", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, id, enrollmentToken } = await withPipeline(server);
    await using agent = await enrolled(server, enrollmentToken, "host");
    await pipelines.deployPipeline({ id, changelog: "first" });
    await eventually(() => expect(agent.held.has(id)).toBe(true));
    expect(agent.desired.at(-1)?.bodies[0]?.configYaml).toContain("inputs: [in]");
    await eventually(async () => {
      const { nodes } = await pipelines.getPipeline({ id });
      expect(nodes[0]).toMatchObject({ step: DeployStep.HEALTHY, effectiveVersion: 1 });
    });
    // The same content again: a new version, and no body.
    await pipelines.deployPipeline({ id, changelog: "again" });
    await eventually(() => expect(agent.held.get(id)?.version).toBe(2));
    expect(agent.desired.at(-1)?.bodies).toHaveLength(0);
    await pipelines.undeployPipeline({ id });
    await eventually(() => expect(agent.held.size).toBe(0));
  });

  test("sends a body again to an agent that says it is not there any more", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { enrollmentToken, pipelines, id } = await withPipeline(server);
    await pipelines.deployPipeline({ id, changelog: "first" });
    await using agent = await enrolled(server, enrollmentToken, "host");
    const bodies = () =>
      agent.messages.flatMap(({ message }) =>
        message.case === "desiredState" ? message.value.bodies : [],
      );
    await eventually(() => expect(bodies()).toHaveLength(1));
    agent.send({ case: "lacking", value: { pipelineIds: [id, "nothing of this name"] } });
    await eventually(() => expect(bodies()).toHaveLength(2));
    expect(bodies()[1]).toEqual(bodies()[0]);
  });

  test("sends no body that the agent said it holds (P1)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, id, enrollmentToken } = await withPipeline(server);
    await pipelines.deployPipeline({ id });
    await using agent = await enrolled(server, enrollmentToken, "host");
    await eventually(() => expect(agent.held.has(id)).toBe(true));
    agent.drop();
    await agent.ended;
    const before = agent.desired.length;
    await agent.connect();
    await eventually(() => expect(agent.desired.length).toBe(before + 1));
    expect(agent.desired.at(-1)).toMatchObject({ bodies: [], manifest: [{ pipelineId: id }] });
  });

  test("stops pipelines for maintenance and brings them back, by push (P4)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, id, token, enrollmentToken } = await withPipeline(server);
    await pipelines.deployPipeline({ id });
    await using agent = await enrolled(server, enrollmentToken, "host");
    await eventually(() => expect(agent.held.size).toBe(1));
    const nodes = server.client(NodeService, token);
    const nodeId = agent.identity?.nodeId ?? "";
    await nodes.updateNode({ id: nodeId, maintenance: true });
    await eventually(() => expect(agent.held.size).toBe(0));
    expect(agent.desired.at(-1)?.maintenance).toBe(true);
    await nodes.updateNode({ id: nodeId, maintenance: false });
    await eventually(() => expect(agent.held.size).toBe(1));
  });

  test("ends with unavailable when the server shuts down", async () => {
    const server = await startTestServer(inject("templateUrl"));
    const { enrollmentToken } = await setUp(server);
    await using agent = await enrolled(server, enrollmentToken, "host");
    await server[Symbol.asyncDispose]();
    expect((await agent.ended)?.code).toBe(status.UNAVAILABLE);
  });

  test("tells a node that has seen a later state until a person confirms the restored one (P10)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, id, token, environmentId, enrollmentToken } = await withPipeline(server);
    await using agent = await enrolled(server, enrollmentToken, "host");
    agent.drop();
    await agent.ended;
    agent.highestGeneration = 50n;
    const welcome = await agent.connect();
    expect(welcome.generation).toBeLessThan(50n);
    const environments = server.client(EnvironmentService, token);
    const fenced = await environments.getEnvironment({ id: environmentId });
    expect(fenced.environment?.fencedNodeCount).toBe(1);
    await environments.confirmRestoredState({ environmentId });
    await pipelines.deployPipeline({ id });
    await eventually(() => expect(agent.held.has(id)).toBe(true));
    expect(agent.highestGeneration).toBeGreaterThan(50n);
  });

  test("does not offer a failed version again before a person retries (P3)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, id, enrollmentToken } = await withPipeline(server);
    await using agent = await enrolled(server, enrollmentToken, "host");
    agent.behaviour = { phases: [ApplyPhase.RECEIVED, ApplyPhase.FAILED] };
    await pipelines.deployPipeline({ id });
    await eventually(async () => {
      const { nodes } = await pipelines.getPipeline({ id });
      expect(nodes[0]?.step).toBe(DeployStep.FAILED);
    });
    const attempts = agent.desired.at(-1)?.manifest[0]?.attempt ?? 0;
    const { nodeCount } = await pipelines.retryDeploy({ id });
    expect(nodeCount).toBe(1);
    await eventually(() => expect(agent.desired.at(-1)?.manifest[0]?.attempt).toBe(attempts + 1));
    const { nodes } = await pipelines.getPipeline({ id });
    expect(nodes[0]?.step).toBe(DeployStep.WAITING);
  });
});

describe("Heartbeat", () => {
  test("makes a node healthy, and its rates appear", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, id, token, enrollmentToken } = await withPipeline(server);
    await pipelines.deployPipeline({ id });
    await using agent = await enrolled(server, enrollmentToken, "host");
    await eventually(() => expect(agent.held.has(id)).toBe(true));
    agent.heartbeat(500);
    const nodes = server.client(NodeService, token);
    await eventually(async () => {
      const { node } = await nodes.getNode({ id: agent.identity?.nodeId ?? "" });
      expect(node).toMatchObject({
        status: NodeStatus.HEALTHY,
        pipelinesRunning: 1,
        pipelinesTotal: 1,
      });
      expect(node?.usage).toMatchObject({ cpuRatio: 0.25, memoryUsedBytes: 2e9 });
    });
  });

  test("calls a silent node unreachable by the server's own clock", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token, enrollmentToken } = await setUp(server);
    await using agent = await enrolled(server, enrollmentToken, "host");
    agent.heartbeat();
    const nodes = server.client(NodeService, token);
    const id = agent.identity?.nodeId ?? "";
    await eventually(async () => {
      expect((await nodes.getNode({ id })).node?.status).toBe(NodeStatus.HEALTHY);
    });
    const { expireLeases } = await import("./nodes.ts");
    const later = new Date(Date.now() + 60_000);
    await expireLeases(server.server.deps.orm.em.fork(), later, 10_000);
    const { node } = await nodes.getNode({ id });
    expect(node?.status).toBe(NodeStatus.UNREACHABLE);
    expect(node?.reasons[0]).toMatch(/^no heartbeat since /);
  });

  test("costs only itself when it holds what the database cannot (A6)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, id, token, enrollmentToken } = await withPipeline(server);
    await pipelines.deployPipeline({ id });
    await using agent = await enrolled(server, enrollmentToken, "host");
    await eventually(() => expect(agent.held.has(id)).toBe(true));
    agent.send({
      case: "pipelineReport",
      value: {
        pipelineId: id,
        phase: 99 as never,
        state: 99 as never,
        reason: "bell \u0007 zero \0 end",
      },
    });
    agent.heartbeat(Number.NaN, ["caf\u00e9", "\0"]);
    agent.heartbeat(10);
    const nodes = server.client(NodeService, token);
    await eventually(async () => {
      const { node } = await nodes.getNode({ id: agent.identity?.nodeId ?? "" });
      expect(node?.status).toBe(NodeStatus.HEALTHY);
    });
  });
});

describe("LogBatch", () => {
  test("is acknowledged once stored, and stored once when it is sent twice (P7)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, id, token, enrollmentToken } = await withPipeline(server);
    await pipelines.deployPipeline({ id });
    await using agent = await enrolled(server, enrollmentToken, "host");
    const lines = ["one", "two"].map((text) => ({ pipelineId: id, text, level: LogLevel.WARN }));
    const time = { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 0 };
    const batch = {
      sequence: 7n,
      spoolId: "spool",
      lines: lines.map((line) => ({ ...line, time })),
    };
    // A line of a pipeline that is gone blocks nobody (A11).
    batch.lines.push({ pipelineId: "gone", text: "lost", level: LogLevel.WARN, time });
    agent.send({ case: "logBatch", value: batch });
    agent.send({ case: "logBatch", value: batch });
    const acks = () => agent.messages.filter(({ message }) => message.case === "logAck");
    await eventually(() => expect(acks()).toHaveLength(2));
    const logs = server.client(LogService, token);
    const { lines: stored } = await logs.listPipelineLogs({ pipelineId: id });
    expect(stored.map(({ text }) => text)).toEqual(["two", "one"]);
  });
});

test("a node of another team can neither be read nor guessed (X3)", async () => {
  await using server = await startTestServer(inject("templateUrl"));
  await setUp(server);
  const nodes = server.client(NodeService);
  const error = await nodes.getNode({ id: "unknown" }).catch((reason: unknown) => reason);
  expect(ConnectError.from(error).code).toBe(Code.Unauthenticated);
});
