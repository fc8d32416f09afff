import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { systemClock } from "#common/clock.ts";
import { ApplyPhase, PipelineState } from "#gen/vectorflow/agent/v1/report_pb.ts";
import { UsageError } from "./config.ts";
import { FakeControlPlane, type Wanted } from "./testing/fake-control-plane.ts";
import { isAlive, startAgent } from "./testing/agent-harness.ts";

const slow = { timeout: 30_000, interval: 50 };
const harmless = `sources:
  in:
    type: demo_logs
    format: json
    interval: 0.5
sinks:
  out:
    type: blackhole
    inputs: [in]
`;
const writing = (path: string): string =>
  harmless.replace("type: blackhole", `type: file\n    path: ${path}\n    encoding: {codec: json}`);

const wanted = (version: number, yaml: string, id = "p1"): Wanted => ({
  id,
  hash: `hash of ${yaml}`,
  version,
  yaml,
});

/** A policy file, and a clock that lets the agent look at it at once. */
async function policyFile(text: string) {
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-policy-"));
  const path = join(folder, "policy.yaml");
  await mkdir(join(folder, "out"));
  await writeFile(path, text);
  return {
    path,
    out: join(folder, "out"),
    options: {
      args: ["--policy", path],
      deps: {
        clock: {
          ...systemClock,
          sleep: (ms: number, signal: AbortSignal) =>
            systemClock.sleep(ms === 10_000 ? 50 : ms, signal),
        },
      },
    },
    write: (next: string) => writeFile(path, next),
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function applied(plane: FakeControlPlane, id = "p1"): Promise<number> {
  await vi.waitFor(
    () =>
      expect(plane.last(id)).toMatchObject({
        phase: ApplyPhase.APPLIED,
        state: PipelineState.RUNNING,
      }),
    slow,
  );
  return plane.last(id)?.pid ?? 0;
}

function policyFacts(plane: FakeControlPlane) {
  return plane.messages
    .flatMap(({ message }) => {
      if (message.case === "hello") return [message.value.host?.policy];
      return message.case === "heartbeat" && message.value.host ? [message.value.host.policy] : [];
    })
    .at(-1);
}

describe.concurrent("the policy of a host", () => {
  test("refuses a configuration before Vector sees it, and the one before runs on (P11)", async () => {
    await using file = await policyFile("version: 1\npreset: restricted\n");
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start(), file.options);
    plane.want(wanted(1, harmless));
    const pid = await applied(plane);
    plane.want(wanted(2, writing(`${file.out}/a.log`)));
    await vi.waitFor(() => expect(plane.last("p1")?.phase).toBe(ApplyPhase.FAILED), slow);
    expect(plane.last("p1")).toMatchObject({
      state: PipelineState.HELD,
      pid,
      effectiveVersion: 1,
      problems: [{ componentId: "out", field: "path" }],
    });
    expect(plane.last("p1")?.reason).toMatch(
      /^the policy of this host refuses it \(files\.write\)/,
    );
    expect(plane.last("p1")?.problems[0]?.message).toContain("host policy, files.write");
    const phases = plane.reports.filter(({ attemptedVersion }) => attemptedVersion === 2);
    expect(phases.map(({ phase }) => phase)).not.toContain(ApplyPhase.VALIDATED);
    expect(isAlive(pid)).toBe(true);
  });

  test("follows links: a path inside a root that leads out of it is refused", async () => {
    await using file = await policyFile("version: 1\n");
    await symlink("/etc", join(file.out, "link"));
    await file.write(`version: 1\nfiles: {write: ["${file.out}"]}\n`);
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start(), file.options);
    plane.want(
      wanted(1, writing(`${file.out}/link/a.log`), "out"),
      wanted(1, writing(`${file.out}/a.log`), "in"),
    );
    await vi.waitFor(() => expect(plane.last("out")?.phase).toBe(ApplyPhase.FAILED), slow);
    expect(plane.last("out")?.reason).toContain("symbolic link to /etc");
    // One bad pipeline never costs another (A6).
    await applied(plane, "in");
  });

  test("that becomes stricter is told of what runs, and lets it run", async () => {
    await using file = await policyFile("version: 1\n");
    await using plane = new FakeControlPlane();
    const server = await plane.start();
    await using agent = await startAgent(server, file.options);
    plane.want(wanted(1, writing(`${file.out}/a.log`)));
    const pid = await applied(plane);
    await file.write("version: 1\npreset: restricted\n");
    await vi.waitFor(() => expect(plane.last("p1")?.reason).toContain("files.write"), slow);
    expect(plane.last("p1")).toMatchObject({ state: PipelineState.RUNNING, pid });
    expect(isAlive(pid)).toBe(true);
    await vi.waitFor(() => expect(policyFacts(plane)?.json).toContain("restricted"), slow);
    // A restart by hand would end it for good, and is refused.
    plane.send({
      case: "command",
      value: { id: "c", kind: { case: "restartPipeline", value: { pipelineId: "p1" } } },
    });
    await vi.waitFor(
      () =>
        expect(plane.messages.some(({ message }) => message.case === "commandResult")).toBe(true),
      slow,
    );
    expect(isAlive(pid)).toBe(true);
    // What is not running any more is not started.
    await agent.stop();
    await using _again = await startAgent(server, { ...file.options, dataDir: agent.folder });
    await vi.waitFor(() => expect(plane.last("p1")?.state).toBe(PipelineState.STOPPED), slow);
    expect(plane.last("p1")?.reason).toContain("files.write");
    // And it is, once the policy lets it.
    await file.write("version: 1\n");
    await vi.waitFor(() => expect(plane.last("p1")?.state).toBe(PipelineState.RUNNING), slow);
    await _again.stop();
  });

  test("stops what runs when it says so itself", async () => {
    await using file = await policyFile("version: 1\n");
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start(), file.options);
    plane.want(wanted(1, writing(`${file.out}/a.log`)), wanted(1, harmless, "p2"));
    const pid = await applied(plane);
    const other = await applied(plane, "p2");
    await file.write("version: 1\npreset: restricted\nenforce_running: true\n");
    await vi.waitFor(() => expect(plane.last("p1")?.state).toBe(PipelineState.STOPPED), slow);
    expect(isAlive(pid)).toBe(false);
    expect(isAlive(other)).toBe(true);
  });

  test("that breaks while the agent runs keeps its last good content, and says so", async () => {
    await using file = await policyFile("version: 1\npreset: restricted\n");
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start(), file.options);
    await vi.waitFor(() => expect(policyFacts(plane)?.problem).toBe(""), slow);
    await file.write("version: 1\npreset: loose\n");
    await vi.waitFor(() => expect(policyFacts(plane)?.problem).toContain("preset must be"), slow);
    expect(JSON.parse(policyFacts(plane)?.json ?? "")).toMatchObject({ preset: "restricted" });
    plane.want(wanted(1, writing(`${file.out}/a.log`)));
    await vi.waitFor(() => expect(plane.last("p1")?.phase).toBe(ApplyPhase.FAILED), slow);
    await rm(file.path);
    await vi.waitFor(() => expect(policyFacts(plane)?.problem).toContain("cannot be read"), slow);
  });

  test("that is broken at the start ends the agent, with everything that is wrong", async () => {
    await using file = await policyFile("version: 2\npreset: loose\n");
    const agent = await startAgent("127.0.0.1:1", file.options);
    const error = await agent.ended.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UsageError);
    expect(String(error)).toMatch(/version must be 1[^]*preset must be/);
  });
});
