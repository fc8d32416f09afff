import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { CommandStatus } from "#gen/vectorflow/agent/v1/command_pb.ts";
import { ApplyPhase, PipelineState } from "#gen/vectorflow/agent/v1/report_pb.ts";
import { DataDirInUseError } from "./state/data-dir-lock.ts";
import {
  applied,
  isAlive,
  slow,
  startAgent,
  vectorBin,
  wanted,
  yaml,
} from "./testing/agent-harness.ts";
import { FakeControlPlane } from "./testing/fake-control-plane.ts";

describe.concurrent("an agent", () => {
  test("enrols once, keeps its identity to itself, and comes back with it", async () => {
    await using plane = new FakeControlPlane();
    const server = await plane.start();
    await using agent = await startAgent(server);
    await vi.waitFor(() => expect(plane.heartbeats.length).toBeGreaterThan(0), slow);
    const identity = join(agent.folder, "identity.json");
    expect((await stat(identity)).mode & 0o777).toBe(0o600);
    expect(await readFile(identity, "utf8")).toContain("vfn_token");
    await agent.stop();
    const before = plane.heartbeats.length;
    await using again = await startAgent(server, { dataDir: agent.folder });
    await vi.waitFor(() => expect(plane.heartbeats.length).toBeGreaterThan(before), slow);
    expect(plane.enrolments).toBe(1);
    await again.stop();
  });

  test("sends host metrics without any pipeline", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    await vi.waitFor(() => expect(plane.heartbeats.length).toBeGreaterThan(1), slow);
    const metrics = plane.heartbeats.at(-1)?.hostMetrics;
    expect(metrics?.memoryTotalBytes).toBeGreaterThan(metrics?.memoryAvailableBytes ?? 0);
    expect(metrics?.coreRatios.length).toBeGreaterThan(0);
  });

  test("applies a configuration step by step and sends its numbers and lines", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    plane.want(wanted(1, yaml(0.01)));
    await applied(plane, 1);
    const phases = new Set(plane.reports.map(({ phase }) => phase));
    expect([...phases].toSorted((a, b) => a - b)).toEqual([
      ApplyPhase.RECEIVED,
      ApplyPhase.VALIDATED,
      ApplyPhase.APPLYING,
      ApplyPhase.APPLIED,
    ]);
    await vi.waitFor(() => {
      const components = plane.heartbeats.flatMap(({ pipelines }) =>
        pipelines.flatMap(({ metrics }) => metrics?.components ?? []),
      );
      expect(components.find(({ sentEvents }) => sentEvents > 0)).toBeDefined();
      // What the agent injects is invisible (S1).
      expect(new Set(components.map(({ componentId }) => componentId))).toEqual(
        new Set(["in", "out"]),
      );
    }, slow);
    await vi.waitFor(
      () => expect(plane.lines.map(({ text }) => text).join("\n")).toContain("Vector has started."),
      slow,
    );
  });

  test("takes a changed component by a reload, and a new version of the same by nothing", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    plane.want(wanted(1, yaml(0.5)));
    const pid = await applied(plane, 1);
    plane.want(wanted(2, yaml(0.25)));
    expect(await applied(plane, 2)).toBe(pid);
    plane.want(wanted(3, yaml(0.25)));
    expect(await applied(plane, 3)).toBe(pid);
  });

  test("leaves what runs alone when Vector refuses the next, and does not try it again (A5, P3)", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    plane.want(wanted(1, yaml(0.5)));
    const pid = await applied(plane, 1);
    const broken = yaml(0.5).replace("blackhole", "blackhoel");
    plane.want(wanted(2, broken));
    await vi.waitFor(() => expect(plane.last("p1")?.phase).toBe(ApplyPhase.FAILED), slow);
    expect(plane.last("p1")).toMatchObject({ state: PipelineState.HELD, effectiveVersion: 1, pid });
    expect(plane.last("p1")?.reason).toContain("blackhoel");
    const received = () =>
      plane.reports.filter(({ phase }) => phase === ApplyPhase.RECEIVED).length;
    const before = received();
    plane.want(wanted(2, broken));
    plane.want(wanted(2, broken, { attempt: 1 }));
    await vi.waitFor(() => expect(received()).toBe(before + 1), slow);
    expect(isAlive(pid)).toBe(true);
  });

  test("rolls back what dies in its probation, with the reason (A5)", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" ? address?.port : 0;
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    plane.want(wanted(1, yaml(0.5)));
    await applied(plane, 1);
    const listener = `  web:\n    type: http_server\n    address: 127.0.0.1:${port}\n`;
    plane.want(wanted(2, yaml(0.5, listener).replace("[in]", "[in, web]")));
    await vi.waitFor(() => expect(plane.last("p1")?.phase).toBe(ApplyPhase.ROLLED_BACK), slow);
    const report = plane.last("p1");
    expect(report).toMatchObject({ state: PipelineState.HELD, effectiveVersion: 1 });
    expect([report?.reason, ...(report?.logTail ?? [])].join("\n")).toMatch(/in use/i);
    taken.close();
  });

  test("ends an undeployed pipeline without waiting for a limit", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    plane.want(wanted(1, yaml(0.5)));
    const pid = await applied(plane, 1);
    plane.want();
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 15_000, interval: 20 });
    await vi.waitFor(() => expect(plane.last("p1")?.phase).toBe(ApplyPhase.REMOVED), slow);
  });

  test("starts a killed Vector again (A8)", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    plane.want(wanted(1, yaml(0.5)));
    const pid = await applied(plane, 1);
    process.kill(pid, "SIGKILL");
    await vi.waitFor(() => {
      const report = plane.last("p1");
      expect(report).toMatchObject({ state: PipelineState.RUNNING, restarts: 1 });
      expect(report?.pid).not.toBe(pid);
    }, slow);
  });

  test("runs its pipelines from disk while the server is away (A2, P5)", async () => {
    await using plane = new FakeControlPlane();
    const server = await plane.start();
    await using agent = await startAgent(server);
    plane.want(wanted(1, yaml(0.5)));
    const pid = await applied(plane, 1);
    await agent.stop();
    expect(isAlive(pid)).toBe(false);
    plane.stop();
    await using again = await startAgent(server, { dataDir: agent.folder });
    const record = join(agent.folder, "pipelines/p1/process.json");
    await vi.waitFor(async () => {
      const { pid: next } = JSON.parse(await readFile(record, "utf8")) as { pid: number };
      expect(isAlive(next)).toBe(true);
    }, slow);
    await again.stop();
  });

  test("ignores a lower generation and another installation, and says so (P10)", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    plane.generation = 10n;
    plane.want(wanted(1, yaml(0.5)));
    const pid = await applied(plane, 1);
    const fences = () => plane.messages.filter(({ message }) => message.case === "fenced").length;
    plane.generation = 3n;
    plane.want();
    await vi.waitFor(() => expect(fences()).toBe(1), slow);
    plane.generation = 50n;
    plane.installationId = "another";
    plane.want();
    await vi.waitFor(() => expect(fences()).toBe(2), slow);
    expect(isAlive(pid)).toBe(true);
  });

  test("answers each command exactly once (P6)", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    await vi.waitFor(() => expect(plane.heartbeats.length).toBeGreaterThan(0), slow);
    const unknown = { id: "c1", kind: { case: "selfUpdate" as const, value: {} } };
    plane.send({ case: "command", value: unknown });
    plane.send({ case: "command", value: unknown });
    const late = { id: "c2", expireTime: { seconds: 1n, nanos: 0 } };
    plane.send({ case: "command", value: late });
    const answers = () =>
      plane.messages.flatMap(({ message }) =>
        message.case === "commandResult" ? [[message.value.commandId, message.value.status]] : [],
      );
    await vi.waitFor(() => expect(answers()).toHaveLength(2), slow);
    expect(Object.fromEntries(answers())).toEqual({
      c1: CommandStatus.UNSUPPORTED,
      c2: CommandStatus.EXPIRED,
    });
  });

  test("leaves no double and no orphan when it is killed (A9)", async () => {
    await using plane = new FakeControlPlane();
    const server = await plane.start();
    const folder = await mkdtemp(join(tmpdir(), "vectorflow-agent-"));
    const main = join(import.meta.dirname, "main.ts");
    const args = [main, "run", "--server", server, "--token", "vfe_token", "--data-dir", folder];
    const start = () =>
      spawn(process.execPath, args, {
        stdio: "ignore",
        env: { ...process.env, VECTOR_BIN: vectorBin },
      });
    const first = start();
    plane.want(wanted(1, yaml(0.5)));
    const pid = await applied(plane, 1);
    first.kill("SIGKILL");
    await once(first, "exit");
    const second = start();
    await vi.waitFor(() => {
      const report = plane.last("p1");
      expect(report?.state).toBe(PipelineState.RUNNING);
      expect(report?.pid).not.toBe(pid);
    }, slow);
    expect(isAlive(pid)).toBe(false);
    const next = plane.last("p1")?.pid ?? 0;
    second.kill("SIGTERM");
    await once(second, "exit");
    expect(isAlive(next)).toBe(false);
    await rm(folder, { recursive: true, force: true });
  });

  test("gives two pipelines of the same text ports and data directories of their own (A7)", async () => {
    await using plane = new FakeControlPlane();
    await using agent = await startAgent(await plane.start());
    plane.want(wanted(1, yaml(0.5)), wanted(1, yaml(0.5), { id: "p2" }));
    await applied(plane, 1);
    await vi.waitFor(() => expect(plane.last("p2")?.phase).toBe(ApplyPhase.APPLIED), slow);
    const configs = await Promise.all(
      ["p1", "p2"].map((id) =>
        readFile(join(agent.folder, "pipelines", id, "vector.yaml"), "utf8"),
      ),
    );
    const own = configs.map((text) =>
      [...text.matchAll(/127\.0\.0\.1:\d+|data_dir: .*/g)].map(([part]) => part),
    );
    expect(own[0]?.length).toBeGreaterThan(2);
    expect(own[0]?.filter((part) => own[1]?.includes(part))).toEqual([]);
  });

  test("gives Vector nothing of its own environment (A14)", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    plane.want(wanted(1, yaml(0.5)));
    const pid = await applied(plane, 1);
    const environment = await readFile(`/proc/${pid}/environ`, "utf8");
    expect(environment).not.toMatch(/VECTORFLOW_|VECTOR_BIN|vfn_|vfe_/);
  });

  test("refuses to share its data directory", async () => {
    await using plane = new FakeControlPlane();
    const server = await plane.start();
    await using agent = await startAgent(server);
    await vi.waitFor(() => expect(plane.heartbeats.length).toBeGreaterThan(0), slow);
    const second = await startAgent(server, { dataDir: agent.folder });
    await expect(second.ended).rejects.toBeInstanceOf(DataDirInUseError);
  });
});
