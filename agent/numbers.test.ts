import { request } from "node:http";
import { describe, expect, test, vi } from "vitest";
import type { ComponentMetrics } from "#gen/vectorflow/agent/v1/heartbeat_pb.ts";
import { PipelineState } from "#gen/vectorflow/agent/v1/report_pb.ts";
import { applied, isSimulated, slow, startAgent, wanted, yaml } from "./testing/agent-harness.ts";
import { FakeControlPlane } from "./testing/fake-control-plane.ts";
import { freePort } from "./testing/free-port.ts";

async function post(port: number, body: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const call = request({ port, host: "127.0.0.1", method: "POST" }, (response) => {
    response.resume();
    response.on("end", () => resolve(response.statusCode ?? 0));
  });
  call.on("error", reject);
  call.end(body);
  return await promise;
}

function componentsOf(plane: FakeControlPlane, id = "p1"): readonly ComponentMetrics[] {
  return plane.heartbeats.flatMap(({ pipelines }) =>
    pipelines
      .filter(({ pipelineId }) => pipelineId === id)
      .flatMap(({ metrics }) => metrics?.components ?? []),
  );
}

function total(
  plane: FakeControlPlane,
  componentId: string,
  value: (metrics: ComponentMetrics) => number,
): number {
  return componentsOf(plane)
    .filter((metrics) => metrics.componentId === componentId)
    .reduce((sum, metrics) => sum + value(metrics), 0);
}

const routed = (port: number): string => `sources:
  web:
    type: http_server
    address: 127.0.0.1:${port}
    decoding: {codec: json}
transforms:
  odd_or_even:
    type: route
    inputs: [web]
    route:
      odd: .n == 1
      even: .n == 2
  only_two:
    type: filter
    inputs: ["odd_or_even.*"]
    condition: .n == 2
sinks:
  out:
    type: blackhole
    inputs: [only_two]
`;

describe.concurrent("numbers", () => {
  test("are those of Vector's counters, for each output too, and wanted drops are told apart (S1)", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    const port = await freePort();
    plane.want(wanted(1, routed(port)));
    await applied(plane, 1);
    for (let n = 0; n < 30; n++) expect(await post(port, `{"n":${n % 3}}`)).toBe(200);
    await vi.waitFor(() => {
      expect(total(plane, "web", ({ receivedEvents }) => receivedEvents)).toBe(30);
      expect(total(plane, "odd_or_even", (m) => m.sentEventsByOutput["odd"] ?? 0)).toBe(10);
      expect(total(plane, "odd_or_even", (m) => m.sentEventsByOutput["even"] ?? 0)).toBe(10);
      expect(total(plane, "odd_or_even", (m) => m.sentEventsByOutput["_unmatched"] ?? 0)).toBe(10);
      expect(total(plane, "odd_or_even", ({ sentEvents }) => sentEvents)).toBe(30);
      expect(total(plane, "only_two", ({ receivedEvents }) => receivedEvents)).toBe(30);
      expect(total(plane, "only_two", ({ discardedIntentional }) => discardedIntentional)).toBe(20);
      expect(total(plane, "only_two", (m) => m.discardedUnintentional + m.errors)).toBe(0);
      expect(total(plane, "out", ({ sentEvents }) => sentEvents)).toBe(10);
    }, slow);
    // The person's wildcard caught nothing of what the agent injects (pits 27, 28).
    expect(new Set(componentsOf(plane).map(({ componentId }) => componentId))).toEqual(
      new Set(["web", "odd_or_even", "only_two", "out"]),
    );
  });

  test("an error is told although nothing came in (S2)", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    const port = await freePort();
    plane.want(wanted(1, routed(port)));
    await applied(plane, 1);
    expect(await post(port, "no json")).toBe(400);
    await vi.waitFor(() => {
      expect(total(plane, "web", ({ errors }) => errors)).toBeGreaterThan(0);
    }, slow);
    expect(total(plane, "web", ({ receivedEvents }) => receivedEvents)).toBe(0);
  });

  test("a restart of Vector neither counts twice nor spikes (S2)", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    plane.want(wanted(1, yaml(0.05)));
    const pid = await applied(plane, 1);
    const sent = (): readonly number[] =>
      componentsOf(plane).flatMap(({ componentId, sentEvents }) =>
        componentId === "in" ? [sentEvents] : [],
      );
    await vi.waitFor(() => expect(sent().filter((n) => n > 0).length).toBeGreaterThan(3), slow);
    process.kill(pid, "SIGKILL");
    const epochs = (): number =>
      new Set(
        plane.heartbeats
          .flatMap(({ pipelines }) => pipelines.map((p) => p.processEpoch))
          .filter(Boolean),
      ).size;
    await vi.waitFor(() => expect(epochs()).toBe(2), slow);
    const before = sent().filter((n) => n > 0).length;
    await vi.waitFor(
      () => expect(sent().filter((n) => n > 0).length).toBeGreaterThan(before + 3),
      slow,
    );
    // Twenty a second, and Vector refreshes its counters each second: never what would be a minute's worth.
    expect(Math.max(...sent())).toBeLessThan(100);
    expect(Math.min(...sent())).toBeGreaterThanOrEqual(0);
  });

  test.runIf(isSimulated)(
    "a metrics page that hangs costs its pipeline a gap and nothing else (A10)",
    async () => {
      await using plane = new FakeControlPlane();
      await using _agent = await startAgent(await plane.start());
      plane.want(
        wanted(1, `# vector-sim: hang-metrics=3\n${yaml(0.05)}`),
        wanted(1, yaml(0.05), { id: "p2" }),
      );
      await applied(plane, 1);
      await applied(plane, 1, "p2");
      const last = () => {
        const beat = plane.heartbeats.at(-1);
        return (id: string) => beat?.pipelines.find(({ pipelineId }) => pipelineId === id);
      };
      await vi.waitFor(() => {
        const recent = plane.heartbeats.slice(-10);
        const measured = (id: string) =>
          recent.filter(({ pipelines }) =>
            pipelines.some((p) => p.pipelineId === id && p.metrics !== undefined),
          ).length;
        expect(recent).toHaveLength(10);
        expect(measured("p1")).toBe(0);
        expect(measured("p2")).toBeGreaterThan(0);
      }, slow);
      expect(last()("p1")?.state).toBe(PipelineState.RUNNING);
      expect(last()("p1")?.restarts).toBe(0);
    },
  );
});

describe.concurrent("log lines", () => {
  const numbered = `sources:
  in:
    type: demo_logs
    format: shuffle
    sequence: true
    lines: ["a line"]
    interval: 0.01
sinks:
  out:
    type: console
    inputs: [in]
    encoding: {codec: text}
`;

  test("come in order and once, also those that were written while no server was there (P7)", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    plane.want(wanted(1, numbered));
    await applied(plane, 1);
    const numbers = () =>
      plane.lines.flatMap(({ text }) => {
        const [, n] = /^(\d+) a line$/.exec(text) ?? [];
        return n === undefined ? [] : [Number(n)];
      });
    await vi.waitFor(() => expect(numbers().length).toBeGreaterThan(20), slow);
    plane.stop();
    const before = numbers().length;
    const awayUntil = Date.now() + 3_000;
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(awayUntil), slow);
    await plane.start();
    await vi.waitFor(() => expect(numbers().length).toBeGreaterThan(before + 250), slow);
    // A batch that was under way when the server went away may come twice; the server stores it once.
    const seen = [...new Set(numbers())];
    expect(seen).toEqual(seen.map((_, index) => (seen[0] ?? 0) + index));
  });
});
