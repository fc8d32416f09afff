import { toBinary, create, type MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { SessionRequestSchema } from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import { ComponentKind, type PipelineBeat } from "#gen/vectorflow/agent/v1/heartbeat_pb.ts";
import { LogLevel } from "#gen/vectorflow/agent/v1/log_pb.ts";
import { ApplyPhase, PipelineState } from "#gen/vectorflow/agent/v1/report_pb.ts";
import { LogService } from "#gen/vectorflow/v1/log_service_pb.ts";
import { NodeStatus } from "#gen/vectorflow/v1/node_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { eventually } from "../testing/eventually.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { setUp, startTestServer } from "../testing/test-server.ts";

const yaml = `sources:
  in:
    type: demo_logs
    format: json
sinks:
  out:
    type: blackhole
    inputs: [in]
`;

/** Every character that could do harm, at the beginning of a text that goes on for a mebibyte. */
const nasty = `\0\x07\x1b[2J\x7f\x9b\r\u202Eevil\u2069\u2066\ud800`;
const huge = nasty + "x".repeat(1_048_576);
const long = nasty + "x".repeat(100_000);
// oxlint-disable-next-line no-control-regex -- that is what must not be there
const harmful = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

type Message = NonNullable<MessageInitShape<typeof SessionRequestSchema>["message"]>;

/** One server for all cases: what one of them breaks, the next would notice. */
async function startFleet() {
  const server = await startTestServer(inject("templateUrl"));
  const { token, environmentId, enrollmentToken } = await setUp(server);
  const pipelines = server.client(PipelineService, token);
  const { pipeline } = await pipelines.createPipeline({ environmentId, name: "Logs", yaml });
  const id = pipeline?.summary?.id ?? "";
  await pipelines.deployPipeline({ id });
  return { server, token, environmentId, enrollmentToken, pipelines, id };
}

let fleet: Awaited<ReturnType<typeof startFleet>>;
let agents = 0;
beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(async () => fleet.server[Symbol.asyncDispose]());

async function oneAgent() {
  const { server, token, enrollmentToken, pipelines, id } = fleet;
  const agent = new FakeAgent(server.server.agentUrl, `host-${++agents}`);
  await agent.enroll(enrollmentToken);
  await agent.connect();
  await eventually(() => expect(agent.held.has(id)).toBe(true));
  const nodes = server.client(NodeService, token);
  const nodeId = agent.identity?.nodeId ?? "";
  return {
    agent,
    id,
    pipelines,
    nodes,
    logs: server.client(LogService, token),
    async status() {
      const { nodes: all } = await pipelines.getPipeline({ id });
      return all.find((status) => status.nodeId === nodeId);
    },
    /** The session lives, and what it sends arrives. */
    async alive() {
      agent.heartbeat();
      await eventually(async () => {
        const { node } = await nodes.getNode({ id: nodeId });
        expect(node?.usage).toMatchObject({ cpuRatio: 0.25, memoryUsedBytes: 2e9 });
      });
    },
    node: () => nodes.getNode({ id: nodeId }),
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  };
}

/** All texts in an answer. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [key, ...textsOf(child)]);
}

function expectHarmless(value: unknown): void {
  for (const text of textsOf(value)) {
    expect(text).not.toMatch(harmful);
    expect(text.isWellFormed()).toBe(true);
    expect(text.length).toBeLessThanOrEqual(16_384);
  }
}

const beat = (more: object): Message => ({
  case: "heartbeat",
  value: { sequence: 9n, intervalMs: 5000, ...more },
});

describe("a hostile agent", () => {
  test("says of its host what it likes, and it is stored and shown harmlessly", async () => {
    await using at = await oneAgent();
    const hostile = {
      hostname: huge,
      os: long,
      osRelease: long,
      agentVersion: long,
      vector: { version: nasty, path: nasty, problem: nasty },
      labels: { [`k${nasty}`]: nasty, __proto__x: "y" },
      policy: {
        path: `/etc/${nasty}`,
        problem: nasty,
        json: JSON.stringify({ version: 1, files: { read: [`/var/${nasty}`] } }),
      },
    };
    // In Hello and in a heartbeat.
    at.agent.host = hostile;
    at.agent.drop();
    await at.agent.ended;
    await at.agent.connect();
    await at.alive();
    expectHarmless(await at.node());
    at.agent.send(beat({ host: { ...hostile, hostname: `again ${huge}` } }));
    await at.alive();
    await eventually(async () => {
      const { node, policy } = await at.node();
      expect(node?.host).toMatch(/^again .{247}$/);
      expect(policy?.path).toContain("evil");
    });
    expectHarmless(await at.node());
    const { nodes } = await at.nodes.listNodes({
      environmentId: (await at.node()).node?.environmentId ?? "",
    });
    expectHarmless(nodes);
  });

  test("reports of a pipeline what it likes", async () => {
    await using at = await oneAgent();
    at.agent.send({
      case: "pipelineReport",
      value: {
        pipelineId: at.id,
        phase: ApplyPhase.FAILED,
        state: PipelineState.CRASHED,
        attemptedHash: nasty,
        effectiveHash: nasty,
        attempt: 4_294_967_295,
        attemptedVersion: 4_294_967_295,
        effectiveVersion: 4_294_967_295,
        pid: 4_294_967_295,
        restarts: 4_294_967_295,
        gapMs: 4_294_967_295,
        reason: huge,
        problems: Array.from({ length: 1000 }, () => ({
          componentId: nasty,
          field: nasty,
          message: nasty,
        })),
        logTail: [huge, nasty],
        nextStartTime: { seconds: 9_000_000_000_000_000n, nanos: 999 },
      },
    });
    await eventually(async () => expect((await at.status())?.reason).toContain("evil"));
    const status = await at.status();
    expectHarmless(status);
    expect(status?.problems).toHaveLength(50);
    expectHarmless(await at.node());
    await at.alive();
  });

  test("logs what it likes, and every line is stored and acknowledged", async () => {
    await using at = await oneAgent();
    const time = { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 0 };
    at.agent.send({
      case: "logBatch",
      value: {
        sequence: 18_446_744_073_709_551_615n,
        spoolId: huge,
        lostLines: 18_446_744_073_709_551_615n,
        lines: [
          { pipelineId: at.id, text: huge, level: LogLevel.ERROR, time, componentId: nasty },
          { pipelineId: nasty, text: "of nobody", level: LogLevel.ERROR, time },
          { pipelineId: at.id, text: "of no time", time: { seconds: -1n, nanos: -5 } },
          {
            pipelineId: at.id,
            text: "of no day",
            time: { seconds: 9_000_000_000_000_000n, nanos: 1 },
          },
          { pipelineId: at.id, text: "of no level", level: 99 as LogLevel, time },
        ],
      },
    });
    await eventually(() =>
      expect(at.agent.messages.some(({ message }) => message.case === "logAck")).toBe(true),
    );
    const { lines } = await at.logs.listPipelineLogs({ pipelineId: at.id });
    expect(lines).toHaveLength(4);
    expectHarmless(lines);
    await at.alive();
  });

  test("counts what it likes, and no list breaks by it", async () => {
    await using at = await oneAgent();
    const most = Number.MAX_VALUE;
    const component = {
      componentId: nasty,
      kind: ComponentKind.SOURCE,
      receivedEvents: most,
      sentEvents: most,
      receivedBytes: Number.NaN,
      sentBytes: Number.POSITIVE_INFINITY,
      errors: -most,
      utilization: Number.NEGATIVE_INFINITY,
    };
    const pipeline = {
      pipelineId: at.id,
      state: 77 as PipelineState,
      effectiveHash: nasty,
      processEpoch: nasty,
      uptimeSeconds: Number.POSITIVE_INFINITY,
      metrics: { intervalMs: 1, components: [component, { ...component, componentId: "in" }] },
    };
    const host = {
      cpuRatio: most,
      memoryTotalBytes: most,
      memoryAvailableBytes: -most,
      filesystems: Array.from({ length: 100 }, () => ({
        mount: nasty,
        type: nasty,
        totalBytes: most,
        usedBytes: most,
      })),
      interfaces: [1, 2].map(() => ({ name: nasty, receivedBytes: most, sentBytes: most })),
    };
    at.agent.send(
      beat({
        hostMetrics: host,
        lostLogLines: 18_446_744_073_709_551_615n,
        pipelines: [pipeline, { pipelineId: nasty }] as PipelineBeat[],
      }),
    );
    await eventually(async () =>
      expect((await at.node()).node?.reasons.join()).toContain("log lines were lost"),
    );
    expectHarmless(await at.node());
    expectHarmless(await at.pipelines.getPipeline({ id: at.id }));
    await at.alive();
  });

  test.each<readonly [string, Buffer]>([
    ["garbage", Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff])],
    ["nothing", Buffer.alloc(0)],
    [
      "half a message",
      Buffer.from(
        toBinary(
          SessionRequestSchema,
          create(SessionRequestSchema, {
            message: { case: "pipelineReport", value: { pipelineId: "p", reason: "r".repeat(99) } },
          }),
        ),
      ).subarray(0, 40),
    ],
    // A report (field 3) with a pipeline id (field 1) of one byte that is no UTF-8.
    ["a text that is no UTF-8", Buffer.from([0x1a, 3, 0x0a, 1, 0xff])],
    ["a kind of a newer agent", Buffer.from([0xfa, 0x07, 2, 0x08, 1])],
  ])("sends %s, which costs that message", async (_name, bytes) => {
    await using at = await oneAgent();
    at.agent.sendBytes(bytes);
    await at.alive();
    expect((await at.node()).node?.status).toBe(NodeStatus.HEALTHY);
  });

  test("sends kinds that it was never asked for", async () => {
    await using at = await oneAgent();
    const uninvited: readonly Message[] = [
      { case: "commandResult", value: { commandId: nasty, message: huge } },
      { case: "sampleResult", value: { commandId: nasty, error: nasty } },
      { case: "tapEvents", value: { tapId: nasty, endedReason: nasty } },
      { case: "terminalOutput", value: { terminalId: nasty, content: Buffer.alloc(9) } },
      { case: "componentSchema", value: { vectorVersion: nasty, schemaGzip: Buffer.alloc(9) } },
      { case: "hello", value: { bootId: nasty } },
    ];
    for (const message of uninvited) at.agent.send(message);
    await at.alive();
  });

  test("fences itself off at a generation beyond all numbers", async () => {
    await using at = await oneAgent();
    at.agent.send({
      case: "fenced",
      value: { highestGeneration: 18_446_744_073_709_551_615n, reason: nasty },
    });
    await eventually(async () => expect((await at.node()).node?.fenced).toBe(true));
    await at.alive();
    expectHarmless(await at.node());
  });

  test.each([
    ["no JSON", "{", "cannot read it"],
    ["another version", '{"version":2}', "version must be 1"],
    ["more than fits", `"${"x".repeat(70_000)}"`, "cannot read it"],
  ])("has a policy that is %s, which judges nothing here", async (_name, json, problem) => {
    await using at = await oneAgent();
    at.agent.send(beat({ host: { hostname: "host", policy: { path: "/p", json } } }));
    await eventually(async () => expect((await at.node()).policy?.problem).toContain(problem));
    const preview = await at.pipelines.previewPipeline({ id: at.id, yaml });
    expect(preview.refusingNodeCount).toBe(0);
  });
});

test("a deploy preview says which hosts would refuse it by their own policies, and why", async () => {
  const server = await startTestServer(inject("templateUrl"));
  await using _server = server;
  const { token, environmentId, enrollmentToken } = await setUp(server);
  const pipelines = server.client(PipelineService, token);
  const writing = yaml.replace(
    "type: blackhole",
    'type: file\n    path: "/etc/{{ host }}"\n    encoding: {codec: json}',
  );
  const { pipeline } = await pipelines.createPipeline({
    environmentId,
    name: "Logs",
    yaml: writing,
  });
  const id = pipeline?.summary?.id ?? "";
  await using agents = new AsyncDisposableStack();
  const json = JSON.stringify({ version: 1, preset: "restricted", files: { write: ["/srv"] } });
  for (const [name, policy] of [
    ["a", { path: "/etc/p", json }],
    ["b", { path: "/other", json }],
    ["c", undefined],
    ["d", { path: "/p", json: '{"version":1}' }],
  ] as const) {
    const agent = agents.use(new FakeAgent(server.server.agentUrl, name));
    if (policy !== undefined) agent.host = { policy };
    await agent.enroll(enrollmentToken, name);
    await agent.connect();
  }
  const preview = await pipelines.previewPipeline({ id, yaml: writing });
  expect(preview.targets).toHaveLength(4);
  expect(preview.refusingNodeCount).toBe(2);
  expect(preview.policyRefusals).toMatchObject([
    {
      rule: "files.write",
      componentKey: "out",
      field: "path",
      nodeNames: ["a", "b"],
      nodeCount: 2,
    },
  ]);
  expect(preview.problems).toEqual([]);
  // They warn, and block nothing.
  await pipelines.deployPipeline({ id });
  const nodes = server.client(NodeService, token);
  const { nodes: all } = await nodes.listNodes({ environmentId });
  const { policy } = await nodes.getNode({ id: all[0]?.id ?? "" });
  expect(policy?.rules).toContainEqual(
    expect.objectContaining({ title: "Writes", text: "Only /srv" }),
  );
});
