import { describe, expect, test, vi } from "vitest";
import { Capability } from "#gen/vectorflow/agent/v1/session_pb.ts";
import { isListening } from "../process/connections.ts";
import { apiPort, closed, pipelineYaml } from "../testing/inspected-agent.ts";
import {
  isRealVector,
  patience,
  runPipeline,
  type RunningPipeline,
} from "../testing/run-pipeline.ts";

describe("vector top", () => {
  const open = (agent: RunningPipeline, terminalId: string, more = {}): void =>
    agent.plane.send({
      case: "terminalOpen",
      value: {
        terminalId,
        pipelineId: "p1",
        columns: 180,
        rows: 20,
        command: ["vector", "top"],
        ...more,
      },
    });
  const shown = (agent: RunningPipeline, id: string) => {
    const parts = agent.plane.sent("terminalOutput").filter(({ terminalId }) => terminalId === id);
    return {
      opened: parts.some(({ closed }) => !closed),
      text: Buffer.concat(parts.map(({ content }) => content)).toString(),
      closed: parts.find(({ closed }) => closed)?.reason,
    };
  };
  const key = (agent: RunningPipeline, terminalId: string, text: string): void =>
    agent.plane.send({
      case: "terminalInput",
      value: { terminalId, content: Buffer.from(text) },
    });

  test("shows the components, takes keys that look around, and quits", async () => {
    await using agent = await runPipeline(pipelineYaml());
    const port = await apiPort(agent);
    expect(agent.plane.sent("hello")[0]?.capabilities).toContain(Capability.TERMINAL);
    open(agent, "t1");
    await vi.waitFor(() => expect(shown(agent, "t1").text).toContain("shaped"), patience);
    expect(await isListening(port)).toBe(true);
    // What was injected is not for people.
    expect(isRealVector && shown(agent, "t1").text.includes("__vectorflow")).toBe(false);
    const before = shown(agent, "t1").text.length;
    agent.plane.send({
      case: "terminalResize",
      value: { terminalId: "t1", columns: 150, rows: 15 },
    });
    await vi.waitFor(
      () => expect(shown(agent, "t1").text.length).toBeGreaterThan(before),
      patience,
    );
    if (!isRealVector) {
      await vi.waitFor(() => expect(shown(agent, "t1").text).toContain("top 150x15"), patience);
    }
    key(agent, "t1", "\u0003\u001c\u001a");
    key(agent, "t1", "jk");
    const still = shown(agent, "t1").text.length;
    await vi.waitFor(() => expect(shown(agent, "t1").text.length).toBeGreaterThan(still), patience);
    expect(shown(agent, "t1").closed).toBeUndefined();
    key(agent, "t1", "q");
    await vi.waitFor(
      () => expect(shown(agent, "t1").closed).toBe("vector top has ended"),
      patience,
    );
    await closed(port);
  });

  test.concurrent("is all that can be run", async () => {
    await using agent = await runPipeline(pipelineYaml());
    const commands = [[], ["/bin/sh"], ["vector", "top", "--url=http://x"], ["vector", "tap"]];
    for (const [index, command] of commands.entries()) open(agent, `t${index}`, { command });
    await vi.waitFor(
      () =>
        expect(commands.map((_, index) => shown(agent, `t${index}`).closed)).toEqual(
          commands.map(() => "this agent runs nothing but vector top"),
        ),
      patience,
    );
    open(agent, "t9", { pipelineId: "p2" });
    await vi.waitFor(
      () => expect(shown(agent, "t9").closed).toBe("the pipeline is not on this host"),
      patience,
    );
  });

  test.concurrent("ends when it is closed, with the pipeline, and is open twice at most", async () => {
    await using agent = await runPipeline(pipelineYaml());
    const port = await apiPort(agent);
    for (const id of ["t1", "t2", "t3"]) open(agent, id);
    await vi.waitFor(
      () => expect(shown(agent, "t3").closed).toBe("more than 2 terminals at once on this host"),
      patience,
    );
    await vi.waitFor(() => expect(shown(agent, "t2").opened).toBe(true), patience);
    agent.plane.send({ case: "terminalClose", value: { terminalId: "t1" } });
    await vi.waitFor(() => expect(shown(agent, "t1").closed).toBe("closed"), patience);
    agent.plane.want();
    await vi.waitFor(
      () => expect(shown(agent, "t2").closed).toBe("the pipeline was removed"),
      patience,
    );
    await closed(port);
  });

  test.concurrent("ends with the session", async () => {
    await using agent = await runPipeline(pipelineYaml());
    const port = await apiPort(agent);
    open(agent, "t1");
    await vi.waitFor(() => expect(shown(agent, "t1").opened).toBe(true), patience);
    agent.plane.endSession();
    await closed(port);
  });
});
