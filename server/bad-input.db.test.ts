import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { Client, Metadata, credentials, status, type ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { SessionRequestSchema } from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { LiveService } from "#gen/vectorflow/v1/live_service_pb.ts";
import { NodeStatus } from "#gen/vectorflow/v1/node_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { eventually } from "./testing/eventually.ts";
import { FakeAgent } from "./testing/fake-agent.ts";
import { setUp, startTestServer, type TestServer } from "./testing/test-server.ts";

/**
 * One server for all kinds of bad input. Before the first and after each, an agent that has been connected all the
 * time and a page that has been open all the time go on as if nothing had been.
 */
describe("bad input", () => {
  const stack = new AsyncDisposableStack();
  let server: TestServer;
  let admin: Awaited<ReturnType<typeof setUp>>;
  let bystander: FakeAgent;
  let pageEnded = false;

  beforeAll(async () => {
    server = stack.use(await startTestServer(inject("templateUrl")));
    admin = await setUp(server);
    bystander = stack.use(new FakeAgent(server.server.agentUrl, "bystander"));
    await bystander.enroll(admin.enrollmentToken);
    await bystander.connect();
    const page = new AbortController();
    stack.defer(() => page.abort());
    const { environmentId } = admin;
    const watch = server.client(LiveService, admin.token).watch({ environmentId }, page);
    const messages = watch[Symbol.asyncIterator]();
    await messages.next();
    void (async () => {
      for (;;) if ((await messages.next()).done === true) return;
    })()
      .catch(() => {})
      .finally(() => {
        pageEnded = true;
      });
  });
  afterAll(() => stack.disposeAsync());

  /** The bystanders live: a heartbeat is taken, and the page's stream is the one it was. */
  async function nobodyNoticed(): Promise<void> {
    const before = Date.now();
    bystander.heartbeat();
    await eventually(async () => {
      const { node } = await server
        .client(NodeService, admin.token)
        .getNode({ id: bystander.identity?.nodeId ?? "" });
      expect(node?.status).toBe(NodeStatus.HEALTHY);
      expect(Number(node?.lastSeenTime?.seconds ?? 0) * 1000 + 1000).toBeGreaterThanOrEqual(before);
    });
    expect(bystander.messages.filter(({ message }) => message.case === "welcome")).toHaveLength(1);
    expect(pageEnded).toBe(false);
  }

  /** Sends bytes as the first message of a session that has a good token; returns how it ends. */
  async function sessionOf(bytes: readonly Uint8Array[], token: string): Promise<ServiceError> {
    const client = new Client(new URL(server.server.agentUrl).host, credentials.createInsecure(), {
      "grpc.max_send_message_length": -1,
    });
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${token}`);
    const call = client.makeBidiStreamRequest(
      "/vectorflow.agent.v1.AgentService/Session",
      (message: Uint8Array) => Buffer.from(message),
      (answer: Buffer) => answer,
      metadata,
    );
    const ended = Promise.withResolvers<ServiceError>();
    call.on("error", ended.resolve);
    call.resume();
    for (const message of bytes) call.write(message);
    const error = await ended.promise;
    client.close();
    return error;
  }

  const post = (type: string, body: string | Uint8Array<ArrayBuffer>): Promise<Response> =>
    fetch(`${server.server.webUrl}/vectorflow.v1.PipelineService/CreatePipeline`, {
      method: "POST",
      headers: { "content-type": type, authorization: `Bearer ${admin.token}` },
      body,
    });

  async function anotherAgent(): Promise<FakeAgent> {
    const agent = new FakeAgent(server.server.agentUrl, "other");
    await agent.enroll(admin.enrollmentToken);
    return agent;
  }

  test("malformed protobuf from a client is refused as such", async () => {
    const response = await post("application/proto", new Uint8Array([255, 255, 255]));
    expect(response.ok).toBe(false);
    expect(await response.json()).toMatchObject({
      message: expect.stringMatching(/^parse binary/),
    });
    await nobodyNoticed();
  });

  test("malformed protobuf from an agent begins no session, and costs a running one only itself", async () => {
    await using agent = await anotherAgent();
    const first = await sessionOf(
      [new Uint8Array([255, 255, 255])],
      agent.identity?.nodeToken ?? "",
    );
    expect(first).toMatchObject({ code: status.INVALID_ARGUMENT, details: /must be Hello/ });
    await agent.connect();
    agent.sendBytes(Buffer.from([255, 255, 255]));
    agent.heartbeat();
    await eventually(async () => {
      const { node } = await server
        .client(NodeService, admin.token)
        .getNode({ id: agent.identity?.nodeId ?? "" });
      expect(node?.status).toBe(NodeStatus.HEALTHY);
    });
    await nobodyNoticed();
  });

  test("an oversize message is refused with its limit", async () => {
    const large = await post("application/json", JSON.stringify({ yaml: "x".repeat(9_000_000) }));
    expect(large.status).toBe(413);
    expect(await large.text()).toMatch(/at most 8388608 bytes/);
    await using agent = await anotherAgent();
    const error = await sessionOf([new Uint8Array(5_000_000)], agent.identity?.nodeToken ?? "");
    expect(error).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringMatching(/5000000.*4194304/),
    });
    await nobodyNoticed();
  });

  test("a session that does not begin with Hello is told so", async () => {
    await using agent = await anotherAgent();
    const beat = toBinary(
      SessionRequestSchema,
      create(SessionRequestSchema, { message: { case: "heartbeat", value: {} } }),
    );
    const error = await sessionOf([beat], agent.identity?.nodeToken ?? "");
    expect(error).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(/Hello/),
    });
    await nobodyNoticed();
  });

  test("wrong tokens of every kind are refused, and say what to do", async () => {
    await using stranger = new FakeAgent(server.server.agentUrl, "stranger");
    await expect(stranger.enroll("vfe_wrong")).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
      details: expect.stringMatching(/copy the current one from Hosts, Add a host/),
    });
    for (const token of ["vfn_wrong", admin.enrollmentToken, admin.token, ""]) {
      await expect(stranger.connect(token)).rejects.toMatchObject({
        code: status.UNAUTHENTICATED,
        details: expect.stringMatching(/enroll this host anew/),
      });
    }
    const nodeToken = bystander.identity?.nodeToken ?? "";
    for (const token of ["vfs_wrong", admin.enrollmentToken, nodeToken]) {
      const environments = server.client(EnvironmentService, token);
      const error = await environments.listEnvironments({}).catch((reason: unknown) => reason);
      expect(ConnectError.from(error)).toMatchObject({
        code: Code.Unauthenticated,
        rawMessage: "sign in first",
      });
    }
    await nobodyNoticed();
  });

  test("an unknown environment is not found, whatever is asked of it", async () => {
    const environmentId = "nowhere";
    const environments = server.client(EnvironmentService, admin.token);
    const pipelines = server.client(PipelineService, admin.token);
    const stream = server.client(LiveService, admin.token).watch({ environmentId });
    const errors = await Promise.all(
      [
        environments.getEnvironment({ id: environmentId }),
        environments.createEnrollmentToken({ environmentId }),
        pipelines.createPipeline({ environmentId, name: "P", yaml: "" }),
        pipelines.listPipelines({ environmentId }),
        stream[Symbol.asyncIterator]().next(),
      ].map((call) => call.then(String, (error: unknown) => ConnectError.from(error).code)),
    );
    expect(new Set(errors)).toEqual(new Set([Code.NotFound]));
    await nobodyNoticed();
  });

  test("a YAML bomb is a draft with one problem, and can neither be previewed nor deployed", async () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const items = Array.from({ length: 10 }, () => (level === 0 ? "x" : `*l${level - 1}`));
      return `l${level}: &l${level} [${items.join(", ")}]`;
    });
    const yaml = `${levels.join("\n")}\nsources:\n  in: {type: demo_logs, format: json, lines: *l11}\nsinks:\n  out: {type: blackhole, inputs: [in]}\n`;
    const pipelines = server.client(PipelineService, admin.token);
    const { pipeline } = await pipelines.createPipeline({
      environmentId: admin.environmentId,
      name: "Bomb",
      yaml,
    });
    const id = pipeline?.summary?.id ?? "";
    expect(pipeline?.problems).toMatchObject([
      { message: expect.stringMatching(/^the text cannot be unfolded: /) },
    ]);
    expect((await pipelines.previewPipeline({ id, yaml })).configYaml).toBe("");
    const refused = await pipelines.deployPipeline({ id }).catch((error: unknown) => error);
    expect(ConnectError.from(refused)).toMatchObject({ code: Code.InvalidArgument });
    await nobodyNoticed();
  });

  test("nesting that exhausts a parser is a problem of that text alone", async () => {
    const yaml = `sources: ${"[".repeat(100_000)}`;
    const { pipeline } = await server.client(PipelineService, admin.token).createPipeline({
      environmentId: admin.environmentId,
      name: "Deep",
      yaml,
    });
    expect(pipeline?.problems.length).toBeGreaterThan(0);
    await nobodyNoticed();
  });

  test("a configuration of 5 MB is refused with the limit, and nothing of it is kept", async () => {
    const pipelines = server.client(PipelineService, admin.token);
    const large = `# ${"x".repeat(5 * 1024 * 1024)}`;
    const { environmentId } = admin;
    const refused = await pipelines
      .createPipeline({ environmentId, name: "Large", yaml: large })
      .catch((error: unknown) => ConnectError.from(error));
    expect(refused).toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: expect.stringMatching(/at most 5 MB/),
    });
    const { pipelines: kept } = await pipelines.listPipelines({ environmentId });
    expect(kept.map(({ name }) => name)).not.toContain("Large");
    await nobodyNoticed();
  });
});
