import { expect, inject, test } from "vitest";
import { LiveService } from "#gen/vectorflow/v1/live_service_pb.ts";
import { MetricService } from "#gen/vectorflow/v1/metric_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { eventually } from "../testing/eventually.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { setUp, startTestServer } from "../testing/test-server.ts";

const yaml = `sources:
  in: {type: demo_logs, format: json}
transforms:
  mid: {type: filter, inputs: [in], condition: "true"}
sinks:
  out: {type: blackhole, inputs: [mid]}
`;

test("rates are those of the hosts' own intervals, added up, and a gap is no zero (S1, S2)", async () => {
  await using server = await startTestServer(inject("templateUrl"));
  const { token, environmentId, enrollmentToken } = await setUp(server);
  const pipelines = server.client(PipelineService, token);
  const { pipeline } = await pipelines.createPipeline({ environmentId, name: "P", yaml });
  const id = pipeline?.summary?.id ?? "";
  await pipelines.deployPipeline({ id });
  const agents = [
    new FakeAgent(server.server.agentUrl, "a"),
    new FakeAgent(server.server.agentUrl, "b"),
  ];
  for (const agent of agents) {
    await agent.enroll(enrollmentToken);
    await agent.connect();
    await eventually(() => expect(agent.held.has(id)).toBe(true));
    // 500 events in 5 seconds, on each of two hosts.
    agent.heartbeat(500);
  }
  const live = server.client(LiveService, token);
  await eventually(async () => {
    for await (const response of live.watch({ environmentId, pipelineIds: [id] })) {
      if (!response.synced) continue;
      const [shown] = response.pipelines;
      expect(shown).toMatchObject({ nodesDesired: 2, nodesRunning: 2, nodesCurrent: 2 });
      expect(shown?.rates).toMatchObject({ eventsIn: 200, eventsOut: 200 });
      expect(shown?.components.find(({ key }) => key === "mid")?.eventsOut).toBe(200);
      return;
    }
  });
  const metrics = server.client(MetricService, token);
  const { series } = await metrics.queryPipelineMetrics({ pipelineId: id });
  const values = series.find(({ name }) => name === "events_in")?.values ?? [];
  expect(values.filter((value) => !Number.isNaN(value))).toEqual([200]);
  expect(values.length).toBeGreaterThan(100);
  const host = await metrics.queryNodeMetrics({ nodeId: agents[0]?.identity?.nodeId ?? "" });
  const cpu = host.series.find(({ name }) => name === "cpu_ratio")?.values ?? [];
  expect(cpu.filter((value) => !Number.isNaN(value))).toEqual([0.25]);
  for (const agent of agents) await agent[Symbol.asyncDispose]();
});

test("a chart without a measurement has no points, and a bad range is refused", async () => {
  await using server = await startTestServer(inject("templateUrl"));
  const { token, environmentId } = await setUp(server);
  const { pipeline } = await server
    .client(PipelineService, token)
    .createPipeline({ environmentId, name: "P", yaml });
  const metrics = server.client(MetricService, token);
  const pipelineId = pipeline?.summary?.id ?? "";
  const { series } = await metrics.queryPipelineMetrics({ pipelineId });
  expect(series.flatMap(({ values }) => values).every(Number.isNaN)).toBe(true);
  const time = { seconds: 1000n, nanos: 0 };
  const backwards = metrics.queryPipelineMetrics({ pipelineId, startTime: time, endTime: time });
  await expect(backwards).rejects.toThrow(/must be after start_time/);
});
