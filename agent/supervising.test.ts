import { once } from "node:events";
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { ApplyPhase, PipelineState } from "#gen/vectorflow/agent/v1/report_pb.ts";
import {
  applied,
  isAlive,
  slow,
  startAgent,
  testDeps,
  vectorBin,
  wanted,
  yaml,
} from "./testing/agent-harness.ts";
import { FakeControlPlane } from "./testing/fake-control-plane.ts";
import { hungPeer } from "./testing/hung-peer.ts";

/** A `vector` that says it is of some version, and may refuse every configuration. */
async function replaceVector(
  path: string,
  version: string,
  refuses: boolean,
  beforeVersion = ":",
): Promise<void> {
  const text = `#!/bin/sh
case "$1" in
--version) ${beforeVersion}; echo "vector ${version} (x86_64-unknown-linux-gnu 0000000 2026-01-01)" ;;
validate) ${refuses ? 'echo "x unknown option"; exit 78' : `exec "${vectorBin}" "$@"`} ;;
*) exec "${vectorBin}" "$@" ;;
esac
`;
  await writeFile(`${path}.new`, text);
  await chmod(`${path}.new`, 0o755);
  await rename(`${path}.new`, path);
}

describe.concurrent("supervising", () => {
  test("an end with code 0 while wanted is a crash, with its count and the next try (A8)", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    plane.want(wanted(1, yaml(0.5)), wanted(1, yaml(0.5), { id: "p2" }));
    // As an operator does: Vector ends in order and with code 0.
    for (const restarts of [1, 2]) {
      process.kill(await applied(plane, 1), "SIGTERM");
      await vi.waitFor(() => {
        const crashed = plane.reports.findLast(({ state }) => state === PipelineState.CRASHED);
        expect(crashed).toMatchObject({ restarts });
        expect(crashed?.nextStartTime).toBeDefined();
        expect(crashed?.reason).toContain("code 0");
      }, slow);
    }
    await applied(plane, 1);
    await applied(plane, 1, "p2");
    // The other pipeline's reports do not suffer (A6).
    expect(plane.last("p2")).toMatchObject({ state: PipelineState.RUNNING, restarts: 0 });
    expect(plane.heartbeats.at(-1)?.pipelines.map(({ pipelineId }) => pipelineId)).toContain("p2");
  });

  test("an end while the agent looks at other things is a crash too", async () => {
    const folder = await mkdtemp(join(tmpdir(), "vectorflow-crash-"));
    const path = join(folder, "vector");
    await replaceVector(path, "0.58.0", false);
    await using plane = new FakeControlPlane();
    const env = { ...testDeps.env, VECTOR_BIN: path };
    await using agent = await startAgent(await plane.start(), { deps: { env } });
    plane.want(wanted(1, yaml(0.5)));
    const pid = await applied(plane, 1);
    // The process ends while the agent asks a replaced file for its version.
    await replaceVector(path, "0.58.0", false, `kill -9 ${pid}; sleep 1`);
    plane.want(wanted(2, yaml(0.5)));
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), slow);
    await vi.waitFor(() => {
      const report = plane.last("p1");
      expect(report).toMatchObject({ state: PipelineState.RUNNING, restarts: 1 });
      expect(report?.reason).toContain("SIGKILL");
    }, slow);
    await agent.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test("another program that takes our port before Vector does, and answers on it, costs nothing", async () => {
    const folder = await mkdtemp(join(tmpdir(), "vectorflow-port-"));
    const [begun, go, vector] = ["begun", "go", "vector"].map((name) => join(folder, name));
    await writeFile(
      `${vector}`,
      `#!/bin/sh
case "$1" in
--version|validate) ;;
*) touch ${begun}; while [ ! -e ${go} ]; do sleep 0.02; done ;;
esac
exec "${vectorBin}" "$@"
`,
      { mode: 0o755 },
    );
    const env = { ...testDeps.env, VECTOR_BIN: `${vector}` };
    await using plane = new FakeControlPlane();
    await using agent = await startAgent(await plane.start(), { deps: { env } });
    plane.want(wanted(1, yaml(0.5)));
    await vi.waitFor(() => readFile(`${begun}`), slow);
    const config = join(agent.folder, "pipelines/p1/vector.yaml");
    const port = async (): Promise<number> =>
      Number(
        /__vectorflow_page:[^]*?address: 127\.0\.0\.1:(\d+)/.exec(
          await readFile(config, "utf8"),
        )?.[1],
      );
    const taken = await port();
    const thief = createServer((_request, response) => void response.end("# not Vector's\n"));
    thief.listen(taken, "127.0.0.1");
    await once(thief, "listening");
    await writeFile(`${go}`, "");
    await applied(plane, 1);
    expect(await port()).not.toBe(taken);
    expect(plane.reports.map(({ phase }) => phase)).not.toContain(ApplyPhase.FAILED);
    thief.close();
    thief.closeAllConnections();
    await rm(folder, { recursive: true });
  });

  test("all pipelines are ended at the same time, each by Vector's own limit", async () => {
    await using peer = await hungPeer();
    await using plane = new FakeControlPlane();
    const limits = { ...testDeps.limits, drainSecs: 3 };
    await using agent = await startAgent(await plane.start(), { deps: { limits } });
    const stuck = yaml(0.05).replace(
      "type: blackhole",
      `type: http\n    uri: http://127.0.0.1:${peer.port}/\n    encoding: {codec: json}\n    healthcheck: false\n    batch: {timeout_secs: 0.1}`,
    );
    const ids = ["p1", "p2", "p3"];
    plane.want(...ids.map((id) => wanted(1, stuck, { id })));
    const pids = await Promise.all(ids.map((id) => applied(plane, 1, id)));
    await vi.waitFor(() => expect(plane.heartbeats.length).toBeGreaterThan(10), slow);
    const begun = Date.now();
    await agent.stop();
    const tookMs = Date.now() - begun;
    // One after another they would take nine seconds at least.
    expect(tookMs).toBeLessThan(8_000);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test("a pipeline keeps its data directory across versions, and it is nobody else's (A7)", async () => {
    await using plane = new FakeControlPlane();
    await using agent = await startAgent(await plane.start());
    const folder = await mkdtemp(join(tmpdir(), "vectorflow-input-"));
    const input = join(folder, "in.log");
    await writeFile(input, "one\ntwo\n");
    const reading = (output: string): string => `sources:
  in:
    type: file
    include: ["${input}"]
    read_from: beginning
    glob_minimum_cooldown_ms: 100
sinks:
  out:
    type: file
    inputs: [in]
    path: ${join(folder, output)}
    encoding: {codec: text}
`;
    const lines = async (output: string): Promise<readonly string[]> =>
      (await readFile(join(folder, output), "utf8").catch(() => "")).split("\n").filter(Boolean);
    plane.want(wanted(1, reading("a")), wanted(1, reading("b"), { id: "p2" }));
    await applied(plane, 1);
    await applied(plane, 1, "p2");
    await vi.waitFor(async () => expect(await lines("a")).toEqual(["one", "two"]), slow);
    await vi.waitFor(async () => expect(await lines("b")).toEqual(["one", "two"]), slow);
    // Another process, the same checkpoints: only what is new is read.
    plane.want(
      wanted(2, `timezone: Europe/Rome\n${reading("a")}`),
      wanted(1, reading("b"), { id: "p2" }),
    );
    await applied(plane, 2);
    await writeFile(input, "three\n", { flag: "a" });
    await vi.waitFor(async () => expect(await lines("a")).toEqual(["one", "two", "three"]), slow);
    await vi.waitFor(async () => expect(await lines("b")).toEqual(["one", "two", "three"]), slow);
    await agent.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test("an executable that was replaced is told, and validates before it starts (A3)", async () => {
    const folder = await mkdtemp(join(tmpdir(), "vectorflow-bin-"));
    const path = join(folder, "vector");
    await replaceVector(path, "0.57.0", false);
    await using plane = new FakeControlPlane();
    const limits = { ...testDeps.limits, checkFilesMs: 500 };
    const env = { ...process.env, VECTOR_BIN: path };
    await using agent = await startAgent(await plane.start(), { deps: { limits, env } });
    plane.want(wanted(1, yaml(0.5)));
    const pid = await applied(plane, 1);
    expect(plane.last("p1")?.vectorVersion).toBe("0.57.0");
    await replaceVector(path, "0.99.0", true);
    // The agent looks for another executable every ten seconds.
    const patient = { ...slow, timeout: 30_000 };
    await vi.waitFor(
      () => expect(plane.last("p1")?.notice).toContain("0.99.0 is installed"),
      patient,
    );
    // What runs is what is shown, whatever the file is by now.
    expect(plane.last("p1")).toMatchObject({ vectorVersion: "0.57.0", pid });
    process.kill(pid, "SIGKILL");
    await vi.waitFor(() => {
      const report = plane.last("p1");
      expect(report?.state).toBe(PipelineState.CRASHED);
      expect(report?.reason).toMatch(/Vector 0\.99\.0 does not take .* Vector 0\.57\.0 took/);
    }, slow);
    await replaceVector(path, "0.58.0", false);
    await vi.waitFor(
      () =>
        expect(plane.last("p1")).toMatchObject({
          state: PipelineState.RUNNING,
          vectorVersion: "0.58.0",
        }),
      patient,
    );
    await agent.stop();
    await rm(folder, { recursive: true, force: true });
  }, 90_000);
});
