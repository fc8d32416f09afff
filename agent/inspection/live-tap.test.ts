import { describe, expect, test, vi } from "vitest";
import { isListening } from "../process/connections.ts";
import {
  apiPort,
  closed,
  ended,
  never,
  pipelineYaml,
  startTap,
  tapped,
  wire,
} from "../testing/inspected-agent.ts";
import { patience, runPipeline } from "../testing/run-pipeline.ts";

describe("a live tap", () => {
  test("shows a first event within half a second, of a sink too, until its viewer leaves", async () => {
    await using agent = await runPipeline(pipelineYaml());
    const port = await apiPort(agent);
    expect(await isListening(port)).toBe(false);
    const waits: number[] = [];
    for (const id of ["t1", "t2", "t3"]) {
      const startedAt = performance.now();
      startTap(agent, id, ["out"]);
      await vi.waitFor(() => expect(tapped(agent, id).events.length).toBeGreaterThan(0), {
        timeout: 30_000,
        interval: 5,
      });
      waits.push(performance.now() - startedAt);
      expect(tapped(agent, id).started).toBe(true);
      expect(await isListening(port)).toBe(true);
      agent.plane.send({ case: "tapStop", value: { tapId: id } });
      expect(await ended(agent, id)).toBe("stopped");
      await closed(port);
    }
    // The best of three: the machine may be busy with something else.
    expect(Math.min(...waits)).toBeLessThan(500);
    const everything = wire(agent);
    for (const secret of never) expect(everything).not.toContain(secret);
  });

  test.concurrent("is bounded per interval, and counts what it left out", async () => {
    await using agent = await runPipeline(pipelineYaml());
    startTap(agent, "t1", ["in", "shaped"], { limitPerInterval: 1, intervalMs: 500 });
    await vi.waitFor(() => expect(tapped(agent, "t1").dropped).toBeGreaterThan(0), patience);
    expect(tapped(agent, "t1").events.length).toBeGreaterThan(0);
  });

  test.concurrent("ends by its time limit", async () => {
    await using agent = await runPipeline(pipelineYaml());
    const port = await apiPort(agent);
    startTap(agent, "t1", ["in"], { durationMs: 1000 });
    expect(await ended(agent, "t1")).toBe("the time limit of 1 s was reached");
    await closed(port);
  });

  test.concurrent("ends when the pipeline is taken away", async () => {
    await using agent = await runPipeline(pipelineYaml());
    startTap(agent, "t1", ["in"]);
    await vi.waitFor(() => expect(tapped(agent, "t1").started).toBe(true), patience);
    agent.plane.want();
    expect(await ended(agent, "t1")).toBe("the pipeline was removed");
  });

  test.concurrent("ends when Vector dies", async () => {
    await using agent = await runPipeline(pipelineYaml());
    startTap(agent, "t1", ["in"]);
    await vi.waitFor(() => expect(tapped(agent, "t1").started).toBe(true), patience);
    process.kill(agent.plane.last("p1")?.pid ?? 0, "SIGKILL");
    expect(await ended(agent, "t1")).toBe("the pipeline has stopped");
  });

  test.concurrent("ends with the session, and the API with it", async () => {
    await using agent = await runPipeline(pipelineYaml());
    const port = await apiPort(agent);
    startTap(agent, "t1", ["in"]);
    await vi.waitFor(() => expect(tapped(agent, "t1").started).toBe(true), patience);
    expect(await isListening(port)).toBe(true);
    agent.plane.endSession();
    await closed(port);
  });

  test.concurrent("goes on over an apply by reload, which goes first", async () => {
    await using agent = await runPipeline(pipelineYaml());
    const port = await apiPort(agent);
    const pid = agent.plane.last("p1")?.pid;
    startTap(agent, "t1", ["shaped"]);
    await vi.waitFor(() => expect(tapped(agent, "t1").started).toBe(true), patience);
    expect(await agent.apply(pipelineYaml("      .fresh = true\n"))).toBe(pid);
    await vi.waitFor(
      () => expect(tapped(agent, "t1").events.at(-1)?.json).toContain('"fresh":true'),
      patience,
    );
    await vi.waitFor(async () => expect(await isListening(port)).toBe(true), patience);
    agent.plane.send({ case: "tapStop", value: { tapId: "t1" } });
    expect(await ended(agent, "t1")).toBe("stopped");
    await closed(port);
  });

  test.concurrent("of which there are few: a flood of orders costs itself, and nothing else", async () => {
    await using agent = await runPipeline(pipelineYaml());
    const port = await apiPort(agent);
    const pid = agent.plane.last("p1")?.pid;
    const ids = Array.from({ length: 60 }, (_, i) => `t${i}`);
    for (const id of ids) startTap(agent, id, ["in"]);
    agent.plane.send({ case: "tapStop", value: { tapId: "never begun" } });
    agent.plane.send({
      case: "terminalInput",
      value: { terminalId: "none", content: Buffer.from("q") },
    });
    startTap(agent, "", ["in"]);
    startTap(agent, "t".repeat(100_000), ["in"]);
    await vi.waitFor(() => {
      expect(ids.filter((id) => tapped(agent, id).started)).toHaveLength(8);
      expect(ids.filter((id) => tapped(agent, id).ended !== undefined)).toHaveLength(52);
    }, patience);
    for (const id of ids) agent.plane.send({ case: "tapStop", value: { tapId: id } });
    await closed(port);
    const before = agent.plane.heartbeats.length;
    await vi.waitFor(() => expect(agent.plane.heartbeats.length).toBeGreaterThan(before), patience);
    expect(agent.plane.last("p1")?.pid).toBe(pid);
  });
});
