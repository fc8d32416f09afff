import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, inject, test } from "vitest";
import { DeliveryEffect, SelectorOperator } from "#gen/vectorflow/v1/delivery_pb.ts";
import { DeliveryService } from "#gen/vectorflow/v1/delivery_service_pb.ts";
import { LiveService } from "#gen/vectorflow/v1/live_service_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { eventually } from "../../testing/eventually.ts";
import { FakeAgent } from "../../testing/fake-agent.ts";
import { selectorCases } from "../../testing/selector-cases.ts";
import { setUp, startTestServer, type TestServer } from "../../testing/test-server.ts";

const yaml = `sources:
  in:
    type: demo_logs
    format: json
sinks:
  out:
    type: blackhole
    inputs: [in]
`;

const refusal = (error: unknown) => {
  const { code, rawMessage } = ConnectError.from(error);
  return { code, message: rawMessage };
};

const site = (value: string) => ({
  terms: [{ key: "site", operator: SelectorOperator.EQUALS, values: [value] }],
});

/** Two hosts, of which only the first has the label site=fra, and a pipeline that is deployed. */
async function begin(server: TestServer, stack: AsyncDisposableStack) {
  const admin = await setUp(server);
  const pipelines = server.client(PipelineService, admin.token);
  const delivery = server.client(DeliveryService, admin.token);
  const nodes = server.client(NodeService, admin.token);
  const { pipeline } = await pipelines.createPipeline({
    environmentId: admin.environmentId,
    name: "Logs",
    yaml,
  });
  const id = pipeline?.summary?.id ?? "";
  await pipelines.deployPipeline({ id });
  const agents: FakeAgent[] = [];
  for (const name of ["ams", "fra"]) {
    const agent = stack.use(new FakeAgent(server.server.agentUrl, name));
    await agent.enroll(admin.enrollmentToken, name);
    await agent.connect();
    agents.push(agent);
  }
  const [ams, fra] = agents;
  if (ams === undefined || fra === undefined) throw new Error("no agents");
  const setLabels = (agent: FakeAgent, labels: Record<string, string>) =>
    nodes.updateNode({ id: agent.identity?.nodeId ?? "", labels: { labels } });
  await setLabels(fra, { site: "fra" });
  const etag = async () => (await delivery.getDelivery({ pipelineId: id })).etag;
  await eventually(() => expect([ams.held.size, fra.held.size]).toEqual([1, 1]));
  return { ...admin, pipelines, delivery, nodes, id, ams, fra, setLabels, etag };
}

test("the database's rules are the code's", async () => {
  await using server = await startTestServer(inject("templateUrl"));
  const em = server.server.deps.orm.em.fork();
  for (const [name, selector, labels, matches] of selectorCases) {
    const [row] = await em.execute<{ matches: boolean }[]>(
      `select (?::jsonb is null or "node_selector_matches"(?::jsonb, ?::jsonb)) as "matches"`,
      [...Array(2).fill(selector && JSON.stringify(selector)), JSON.stringify(labels)],
    );
    expect([name, row?.matches]).toEqual([name, matches]);
  }
});

test("limits reach the hosts at once, without a new configuration", async () => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startTestServer(inject("templateUrl")));
  const { delivery, id, ams } = await begin(server, stack);
  const manifest = () =>
    ams.messages.flatMap(({ message }) => (message.case === "desiredState" ? [message.value] : []));
  await delivery.setLimits({ pipelineId: id, limits: { memoryMib: 512, cpuCores: 1.5 } });
  await eventually(() =>
    expect(manifest().at(-1)?.manifest).toMatchObject([
      { memoryLimitBytes: 536_870_912n, cpuLimitCores: 1.5 },
    ]),
  );
  expect(manifest().at(-1)?.bodies).toEqual([]);
  expect((await delivery.getDelivery({ pipelineId: id })).limits).toMatchObject({ memoryMib: 512 });
  for (const limits of [{ memoryMib: 5 }, { cpuCores: 0.001 }, { cpuCores: Number.NaN }]) {
    const refused = await delivery.setLimits({ pipelineId: id, limits }).catch(refusal);
    expect(refused).toMatchObject({ code: Code.InvalidArgument });
  }
});

describe("a selector", () => {
  test("moves a deployed pipeline at once, and only after somebody confirmed where it stops (P4, S20)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using stack = new AsyncDisposableStack();
    const { pipelines, delivery, environmentId, token, id, ams, fra, etag } = await begin(
      server,
      stack,
    );
    const preview = await delivery.previewSelector({ pipelineId: id, selector: site("fra") });
    expect(preview).toMatchObject({
      selectedCount: 1,
      startingCount: 0,
      stoppingCount: 1,
      totalCount: 2,
      nodes: [
        { name: "ams", effect: DeliveryEffect.STOPS },
        { name: "fra", effect: DeliveryEffect.STAYS },
      ],
    });
    const request = { pipelineId: id, selector: site("fra"), etag: await etag() };
    expect(await delivery.setSelector(request).catch(refusal)).toEqual({
      code: Code.FailedPrecondition,
      message: "the pipeline would stop on ams: confirm that this is meant",
    });
    expect([ams.held.size, fra.held.size]).toEqual([1, 1]);
    const set = await delivery.setSelector({ ...request, confirmStops: true });
    expect(set).toMatchObject({ selectorText: "site = fra", stoppingCount: 1 });
    await eventually(() => expect([ams.held.size, fra.held.size]).toEqual([0, 1]));
    // The second of two editors is told.
    const late = await delivery.setSelector({ ...request, selector: { terms: [] } }).catch(refusal);
    expect(late).toMatchObject({ code: Code.Aborted });
    // Previews, states and live numbers count only where it is for.
    expect((await pipelines.previewPipeline({ id, yaml })).targets.map(({ name }) => name)).toEqual(
      ["fra"],
    );
    await eventually(async () => {
      const { nodes } = await pipelines.getPipeline({ id });
      expect(nodes.map(({ nodeName }) => nodeName)).toEqual(["fra"]);
    });
    const watch = server.client(LiveService, token).watch({ environmentId });
    for await (const { pipelines: live } of watch) {
      if (live.length === 0) continue;
      expect(live).toMatchObject([{ nodesDesired: 1 }]);
      break;
    }
    // Back to all hosts: an empty selector starts it there again, without a question.
    await delivery.setSelector({ pipelineId: id, selector: { terms: [] }, etag: set.etag });
    await eventually(() => expect([ams.held.size, fra.held.size]).toEqual([1, 1]));
    expect(await delivery.getDelivery({ pipelineId: id })).toMatchObject({
      selectorText: "all hosts",
    });
    const rows = await server.server.deps.orm.em
      .fork()
      .execute<{ metadata: unknown; diff: unknown }[]>(
        `select "metadata", "diff" from "AuditLog" where "action" = 'pipeline.selector_changed'
         order by "createdAt"`,
      );
    expect(rows).toMatchObject([
      {
        metadata: { stoppedNodes: 1, stoppedNodeNames: ["ams"] },
        diff: { nodeSelector: { before: "all hosts", after: "site = fra" } },
      },
      { metadata: { startedNodes: 1, stoppedNodes: 0 } },
    ]);
  });

  test("a label moves a pipeline on and off a host at once, and says so before (A1)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using stack = new AsyncDisposableStack();
    const { delivery, nodes, id, ams, fra, setLabels, etag } = await begin(server, stack);
    await delivery.setSelector({
      pipelineId: id,
      selector: site("fra"),
      etag: await etag(),
      confirmStops: true,
    });
    await eventually(() => expect(ams.held.size).toBe(0));
    const nodeId = ams.identity?.nodeId ?? "";
    const starting = await delivery.previewLabels({ nodeId, labels: { site: "fra" } });
    expect(starting.pipelines).toMatchObject([{ name: "Logs", effect: DeliveryEffect.STARTS }]);
    await setLabels(ams, { site: "fra" });
    await eventually(() => expect(ams.held.size).toBe(1));
    const stopping = await delivery.previewLabels({ nodeId, labels: { other: "1" } });
    expect(stopping.pipelines).toMatchObject([{ effect: DeliveryEffect.STOPS }]);
    await setLabels(ams, { other: "1" });
    await eventually(() => expect(ams.held.size).toBe(0));
    expect((await nodes.getNode({ id: nodeId })).node?.pipelinesTotal).toBe(0);
    expect(fra.held.size).toBe(1);
    const rows = await server.server.deps.orm.em.fork().execute<{ pipelines: unknown }[]>(
      `select "metadata" -> 'pipelines' as "pipelines" from "AuditLog"
         where "action" = 'node.updated' and jsonb_exists("metadata", 'pipelines') order by "createdAt"`,
    );
    expect(rows).toEqual([
      { pipelines: [{ pipeline: "Logs", effect: "starts" }] },
      { pipelines: [{ pipeline: "Logs", effect: "stops" }] },
    ]);
  });

  test("labels that a host claims select nothing (P9, X7)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using stack = new AsyncDisposableStack();
    const { delivery, nodes, id, ams, etag } = await begin(server, stack);
    await delivery.setSelector({
      pipelineId: id,
      selector: site("fra"),
      etag: await etag(),
      confirmStops: true,
    });
    await eventually(() => expect(ams.held.size).toBe(0));
    const states = ams.desired.length;
    ams.send({
      case: "heartbeat",
      value: { sequence: 1n, host: { hostname: "ams", labels: { site: "fra" } } },
    });
    const nodeId = ams.identity?.nodeId ?? "";
    await eventually(async () => {
      const { node } = await nodes.getNode({ id: nodeId });
      expect(node?.reportedLabels).toEqual({ site: "fra" });
    });
    ams.drop();
    await ams.ended;
    await ams.connect();
    await eventually(() => expect(ams.desired.length).toBe(states + 1));
    expect(ams.desired.at(-1)?.manifest).toEqual([]);
    expect(await delivery.previewSelector({ pipelineId: id, selector: site("fra") })).toMatchObject(
      { selectedCount: 1 },
    );
  });

  test("a bad term is refused by its place", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using stack = new AsyncDisposableStack();
    const { delivery, id } = await begin(server, stack);
    for (const [term, message] of [
      [{ key: "", operator: SelectorOperator.EXISTS }, /terms\[0\]\.key/],
      [
        { key: "a", operator: SelectorOperator.EQUALS, values: [] },
        /terms\[0\]\.values must be exactly one/,
      ],
      [{ key: "a", operator: SelectorOperator.EXISTS, values: ["x"] }, /must be empty/],
      [{ key: "a", operator: SelectorOperator.UNSPECIFIED }, /operator is required/],
    ] as const) {
      const refused = await delivery
        .previewSelector({
          pipelineId: id,
          selector: { terms: [{ ...term, values: [...(term.values ?? [])] }] },
        })
        .catch(refusal);
      expect(refused).toMatchObject({
        code: Code.InvalidArgument,
        message: expect.stringMatching(message),
      });
    }
  });
});

test("a log level alone is pushed at once, and info is what it was before", async () => {
  await using server = await startTestServer(inject("templateUrl"));
  await using stack = new AsyncDisposableStack();
  const { delivery, id, fra } = await begin(server, stack);
  const hash = fra.held.get(id)?.hash;
  await delivery.setLogLevel({ pipelineId: id, logLevel: "debug" });
  await eventually(() => expect(fra.held.get(id)?.hash).not.toBe(hash));
  expect(fra.desired.at(-1)?.bodies).toMatchObject([{ logLevel: "debug" }]);
  expect((await delivery.getDelivery({ pipelineId: id })).logLevel).toBe("debug");
  await delivery.setLogLevel({ pipelineId: id, logLevel: "info" });
  await eventually(() => expect(fra.held.get(id)?.hash).toBe(hash));
  const loud = await delivery.setLogLevel({ pipelineId: id, logLevel: "loud" }).catch(refusal);
  expect(loud).toMatchObject({ code: Code.InvalidArgument });
});
