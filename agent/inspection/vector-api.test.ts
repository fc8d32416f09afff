import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { describe, expect, test, vi } from "vitest";
import { PipelineState } from "#gen/vectorflow/agent/v1/report_pb.ts";
import { isListening } from "../process/connections.ts";
import {
  apiPort,
  closed,
  ended,
  pipelineYaml,
  sample,
  sampled,
  startTap,
  tapped,
} from "../testing/inspected-agent.ts";
import { isRealVector, patience, runPipeline } from "../testing/run-pipeline.ts";

describe("Vector's API", () => {
  test.concurrent("tells of a foreign stream that stays attached when it is closed", async () => {
    await using agent = await runPipeline(pipelineYaml());
    const port = await apiPort(agent);
    startTap(agent, "t1", ["in"]);
    await vi.waitFor(() => expect(tapped(agent, "t1").started).toBe(true), patience);
    const stranger = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    try {
      const call = stranger.makeServerStreamRequest(
        "/vector.observability.v1.ObservabilityService/StreamHeartbeat",
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        Buffer.from([8, 100]),
      );
      call.on("error", () => {});
      const first = Promise.withResolvers<void>();
      call.on("data", () => first.resolve());
      await first.promise;
      agent.plane.send({ case: "tapStop", value: { tapId: "t1" } });
      await closed(port);
      await vi.waitFor(
        () =>
          // Some versions of Vector end such a stream when the API is closed, in others it lives on.
          expect(agent.plane.lines.map(({ text }) => text).join("\n")).toMatch(
            new RegExp(`1 foreign connection (is still|was) attached to .* on port ${port}`),
          ),
        patience,
      );
    } finally {
      stranger.close();
    }
  });

  test.concurrent("is closed in the file of the next start while it is open, and by the agent's end", async () => {
    await using agent = await runPipeline(pipelineYaml());
    const port = await apiPort(agent);
    startTap(agent, "t1", ["in"]);
    await vi.waitFor(() => expect(tapped(agent, "t1").started).toBe(true), patience);
    expect(await isListening(port)).toBe(true);
    // It reads the file and finds the API closed.
    expect(await apiPort(agent)).toBe(port);
    await agent.stop();
    await closed(port);
  });

  test.concurrent("is opened and closed without touching a component", async () => {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const yaml = `sources:
  in: { type: demo_logs, format: json, interval: 0.02 }
  web: { type: http_server, address: "127.0.0.1:${port}" }
sinks:
  out: { type: blackhole, inputs: [in, web] }
`;
    await using agent = await runPipeline(yaml);
    const before = await listener(port);
    expect(before).toMatch(/^\d+$/);
    const api = await apiPort(agent);
    startTap(agent, "t1", ["out"]);
    await vi.waitFor(() => expect(tapped(agent, "t1").events.length).toBeGreaterThan(0), patience);
    expect(await isListening(api)).toBe(true);
    // The very socket that it had.
    expect(await listener(port)).toBe(before);
    agent.plane.send({ case: "tapStop", value: { tapId: "t1" } });
    await closed(api);
    expect(await listener(port)).toBe(before);
  });

  test.concurrent("is not opened where another program listens: that would end Vector", async () => {
    await using agent = await runPipeline(pipelineYaml());
    const port = await apiPort(agent);
    const stranger = createServer().listen(port, "127.0.0.1");
    await once(stranger, "listening");
    const pid = agent.plane.last("p1")?.pid;
    sample(agent, "c1", ["in"], { limit: 1 });
    expect((await sampled(agent, "c1")).error).toBe(
      `another program listens on port ${port}: restart the pipeline to get another`,
    );
    stranger.close();
    sample(agent, "c2", ["in"], { limit: 1 });
    expect((await sampled(agent, "c2")).components[0]?.complete).toBe(true);
    expect(agent.plane.last("p1")).toMatchObject({ pid, state: PipelineState.RUNNING });
  });

  test.skipIf(isRealVector)(
    "that cannot be opened because a reload hangs costs a restart",
    async () => {
      const stuck = `# vector-sim: hang-on-reload\n${pipelineYaml()}`;
      await using agent = await runPipeline(stuck, { limits: { verdictMs: 8000 } });
      const pid = agent.plane.last("p1")?.pid;
      sample(agent, "c1", ["in"], { limit: 1 });
      expect((await sampled(agent, "c1")).error).toBe(
        "Vector did not answer to a reload, and is started again",
      );
      await vi.waitFor(() => {
        const report = agent.plane.last("p1");
        expect(report).toMatchObject({ state: PipelineState.RUNNING, restarts: 1 });
        expect(report?.pid).not.toBe(pid);
      }, patience);
    },
  );
});

/** The inode of the socket that listens on a port of this host. */
async function listener(port: number): Promise<string | undefined> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = (await readFile("/proc/net/tcp", "utf8")).split("\n").map((row) => row.trim());
  const columns = rows.map((row) => row.split(/\s+/));
  return columns.find((row) => row[1]?.endsWith(local) === true && row[3] === "0A")?.[9];
}

describe.skipIf(isRealVector)("a Vector from before 0.55", () => {
  test("is sampled and tapped by its own command, outputs and inputs", async () => {
    const vector = join(import.meta.dirname, "../testing/old-vector");
    await using agent = await runPipeline(pipelineYaml(), { vector });
    const port = await apiPort(agent);
    sample(agent, "c1", ["in"], { limit: 3 });
    const { components, events } = await sampled(agent, "c1");
    expect(components[0]).toMatchObject({ complete: true, eventCount: 3 });
    expect(JSON.parse(events[0]?.json ?? "")).toEqual({
      outputs: "in,in.*",
      inputs: "",
      count: 1,
      password: "[redacted]",
    });
    startTap(agent, "t1", ["out"]);
    await vi.waitFor(() => expect(tapped(agent, "t1").events.length).toBeGreaterThan(0), patience);
    expect(JSON.parse(tapped(agent, "t1").events[0]?.json ?? "")).toMatchObject({ inputs: "out" });
    expect(await isListening(port)).toBe(true);
    agent.plane.send({ case: "tapStop", value: { tapId: "t1" } });
    expect(await ended(agent, "t1")).toBe("stopped");
    await closed(port);
  });
});
