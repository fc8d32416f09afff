import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { ApplyPhase, PipelineState } from "#gen/vectorflow/agent/v1/report_pb.ts";
import {
  applied,
  isAlive,
  isSimulated,
  slow,
  startAgent,
  testDeps,
  wanted,
  yaml,
} from "./testing/agent-harness.ts";
import { FakeControlPlane } from "./testing/fake-control-plane.ts";
import { hungPeer, slowPeer } from "./testing/hung-peer.ts";

const limits = { ...testDeps.limits, verdictMs: 8_000, drainSecs: 4 };
/** Long enough for several readings of counters that Vector itself refreshes every second. */
const watchful = { ...limits, probationMs: 4_000 };

const phase = async (plane: FakeControlPlane, wants: ApplyPhase, version: number) => {
  await vi.waitFor(
    () => expect(plane.last("p1")).toMatchObject({ phase: wants, attemptedVersion: version }),
    slow,
  );
  return plane.last("p1");
};

/** demo_logs through a remap to a blackhole. */
const remapped = (source: string): string => `sources:
  in:
    type: demo_logs
    format: json
    interval: 0.02
transforms:
  change:
    type: remap
    inputs: [in]
    drop_on_error: true
    source: |-
      ${source}
sinks:
  out:
    type: blackhole
    inputs: [change]
`;

const posting = (port: number, path = "/"): string => `sources:
  in:
    type: demo_logs
    format: json
    interval: 0.05
sinks:
  out:
    type: http
    inputs: [in]
    uri: http://127.0.0.1:${port}${path}
    encoding: {codec: json}
    batch: {timeout_secs: 0.2}
    healthcheck: false
`;

describe.concurrent("applying a configuration", () => {
  test("another log level alone is applied within two seconds, without a restart", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    const text = yaml(0.5);
    plane.want(wanted(1, text, { hash: "a", logLevel: "info" }));
    const pid = await applied(plane, 1);
    const before = Date.now();
    plane.want(wanted(2, text, { hash: "b", logLevel: "warn" }));
    expect(await applied(plane, 2)).toBe(pid);
    expect(Date.now() - before).toBeLessThan(10_000);
    const lines = plane.lines.length;
    plane.want(wanted(3, text, { hash: "c", logLevel: "debug" }));
    expect(await applied(plane, 3)).not.toBe(pid);
    await vi.waitFor(() => expect(plane.lines.length).toBeGreaterThan(lines), slow);
  });

  test("a global option takes a new process, whose gap is told", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    plane.want(wanted(1, yaml(0.5)));
    const pid = await applied(plane, 1);
    plane.want(wanted(2, `timezone: Europe/Rome\n${yaml(0.5)}`));
    expect(await applied(plane, 2)).not.toBe(pid);
    expect(plane.last("p1")?.gapMs).toBeGreaterThan(0);
    expect(isAlive(pid)).toBe(false);
  });

  test("a bad pipeline that drains for long delays neither others nor heartbeats (A6, A10)", async () => {
    await using peer = await hungPeer();
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start(), { deps: { limits } });
    plane.want(wanted(1, posting(peer.port)));
    const pid = await applied(plane, 1);
    const beats = plane.heartbeats.length;
    // Its events can never be delivered: Vector drains until its own limit.
    plane.want(wanted(1, yaml(0.5), { id: "p2" }));
    await applied(plane, 1, "p2");
    expect(isAlive(pid)).toBe(true);
    await vi.waitFor(() => expect(plane.heartbeats.length).toBeGreaterThan(beats + 5), slow);
    expect(isAlive(pid)).toBe(true);
    await vi.waitFor(() => expect(plane.last("p1")?.phase).toBe(ApplyPhase.REMOVED), slow);
    expect(isAlive(pid)).toBe(false);
  });

  test("a reload whose build fails leaves the version before running, and is not tried again (A5)", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    plane.want(wanted(1, yaml(0.5)));
    await applied(plane, 1);
    // Vector refuses a routing template that begins with a field only when it builds the sink.
    const unconfined = `${yaml(0.25)}  bad:
    type: file
    inputs: [in]
    path: "{{ host }}/x"
    encoding: {codec: json}
`;
    plane.want(
      wanted(2, isSimulated ? `# vector-sim: reload-build-fails\n${yaml(0.25)}` : unconfined),
    );
    const report = await phase(plane, ApplyPhase.ROLLED_BACK, 2);
    expect(report).toMatchObject({ state: PipelineState.HELD, effectiveVersion: 1 });
    expect(report?.reason).toMatch(/refused to reload|ended/);
    expect(report?.logTail.length).toBeGreaterThan(0);
    expect(isAlive(report?.pid ?? 0)).toBe(true);
    expect(plane.reports.filter(({ phase: p }) => p === ApplyPhase.RECEIVED)).toHaveLength(2);
  });

  test.runIf(isSimulated).for([
    ["restore-fails", ApplyPhase.ROLLED_BACK],
    ["crash-on-reload", ApplyPhase.ROLLED_BACK],
    ["exit-at-start", ApplyPhase.APPLIED],
    ["reload-global-changed", ApplyPhase.APPLIED],
    ["hang-on-reload", ApplyPhase.APPLIED],
    ["stall-after-reload", ApplyPhase.APPLIED],
  ] as const)(
    "a reload with the fault %s ends as %i with one process",
    async ([fault, wants], context) => {
      await using plane = new FakeControlPlane();
      await using _agent = await startAgent(await plane.start(), { deps: { limits: watchful } });
      plane.want(wanted(1, yaml(0.02)));
      const pid = await applied(plane, 1);
      plane.want(wanted(2, `# vector-sim: ${fault}\n${yaml(0.01)}`));
      const report = await phase(plane, wants, 2);
      const restarted = wants === ApplyPhase.ROLLED_BACK || fault !== "exit-at-start";
      context.expect(report?.effectiveVersion).toBe(wants === ApplyPhase.APPLIED ? 2 : 1);
      context.expect(isAlive(pid)).toBe(!restarted);
      // The reload lost events from its begin to the next start: that time is told.
      if (restarted) context.expect(report?.gapMs).toBeGreaterThan(0);
      await vi.waitFor(() => expect(isAlive(plane.last("p1")?.pid ?? 0)).toBe(true), slow);
    },
  );

  test("a version that comes while the one before is on probation is applied next", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start(), { deps: { limits: watchful } });
    plane.want(wanted(1, yaml(0.5)));
    await phase(plane, ApplyPhase.APPLYING, 1);
    plane.want(wanted(2, yaml(0.25)));
    await applied(plane, 2);
    expect(plane.last("p1")?.reason).toBe("");
  });

  test("a reload that wedges is killed, and the new version starts (pit 29)", async () => {
    await using peer = await hungPeer();
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start(), { deps: { limits } });
    plane.want(wanted(1, posting(peer.port)));
    const pid = await applied(plane, 1);
    await vi.waitFor(() => {
      const components = plane.heartbeats.flatMap(({ pipelines }) =>
        pipelines.flatMap(({ metrics }) => metrics?.components ?? []),
      );
      expect(
        components.some(
          ({ componentId, receivedEvents }) => componentId === "out" && receivedEvents > 0,
        ),
      ).toBe(true);
    }, slow);
    plane.want(wanted(2, posting(peer.port, "/other")));
    const report = await phase(plane, ApplyPhase.APPLIED, 2);
    expect(report?.pid).not.toBe(pid);
    expect(report?.gapMs).toBeGreaterThan(2_000);
    expect(isAlive(pid)).toBe(false);
  });

  test("a version that delivers nothing but errors, where the one before delivered, is rolled back", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start(), { deps: { limits: watchful } });
    plane.want(wanted(1, remapped(".a = 1")));
    await applied(plane, 1);
    await vi.waitFor(() => {
      const components = plane.heartbeats.flatMap(({ pipelines }) =>
        pipelines.flatMap(({ metrics }) => metrics?.components ?? []),
      );
      expect(
        components.some(({ componentId, sentEvents }) => componentId === "out" && sentEvents > 0),
      ).toBe(true);
    }, slow);
    plane.want(wanted(2, remapped('.a = parse_json!("no json")')));
    const report = await phase(plane, ApplyPhase.ROLLED_BACK, 2);
    expect(report?.reason).toMatch(/received \d+ events and delivered none, with \d+ errors/);
    expect(report).toMatchObject({ state: PipelineState.HELD, effectiveVersion: 1 });
  });

  test("a pipeline that delivers nothing says so with its evidence, until it delivers again", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    plane.want(wanted(1, remapped('.a = parse_json!("no json")')));
    await vi.waitFor(
      () => expect(plane.last("p1")?.state).toBe(PipelineState.NOT_DELIVERING),
      slow,
    );
    expect(plane.last("p1")?.reason).toMatch(/sources received \d+ events, its sinks sent 0/);
    expect(plane.last("p1")?.reason).toMatch(/last error: component "change"/);
    plane.want(wanted(2, remapped(".a = 1")));
    await applied(plane, 2);
    await vi.waitFor(() => {
      expect(plane.last("p1")).toMatchObject({ state: PipelineState.RUNNING, reason: "" });
    }, slow);
  });

  test("the reason of a failure stays, over a server's and the agent's restart (A4)", async () => {
    await using plane = new FakeControlPlane();
    const server = await plane.start();
    await using agent = await startAgent(server);
    plane.want(wanted(1, yaml(0.5)));
    await applied(plane, 1);
    plane.want(wanted(2, yaml(0.5).replace("blackhole", "blackhoel")));
    await phase(plane, ApplyPhase.FAILED, 2);
    plane.stop();
    plane.reports.length = 0;
    await plane.start();
    expect((await phase(plane, ApplyPhase.FAILED, 2))?.reason).toContain("blackhoel");
    await agent.stop();
    plane.reports.length = 0;
    await using _again = await startAgent(server, { dataDir: agent.folder });
    expect((await phase(plane, ApplyPhase.FAILED, 2))?.reason).toContain("blackhoel");
    await vi.waitFor(() => expect(plane.last("p1")?.state).toBe(PipelineState.HELD), slow);
    expect(plane.last("p1")?.reason).toContain("blackhoel");
  });

  test("a configuration that somebody changes or deletes on the disk is put back, and that is told", async () => {
    await using plane = new FakeControlPlane();
    const quick = { ...limits, checkFilesMs: 200 };
    await using agent = await startAgent(await plane.start(), { deps: { limits: quick } });
    plane.want(wanted(1, yaml(0.5)));
    const pid = await applied(plane, 1);
    const path = join(agent.folder, "pipelines/p1/vector.yaml");
    const good = await readFile(path, "utf8");
    await writeFile(path, "sources: {}\n");
    await vi.waitFor(async () => expect(await readFile(path, "utf8")).toBe(good), slow);
    await rm(path);
    await vi.waitFor(async () => expect(await readFile(path, "utf8")).toBe(good), slow);
    await vi.waitFor(() => expect(plane.last("p1")?.notice).toContain("changed on the host"), slow);
    expect(plane.last("p1")).toMatchObject({ state: PipelineState.RUNNING, pid });
  });

  test("ending the agent loses no event that Vector still held", async () => {
    await using peer = await slowPeer(1_000);
    await using plane = new FakeControlPlane();
    await using agent = await startAgent(await plane.start());
    plane.want(wanted(1, posting(peer.port)));
    const pid = await applied(plane, 1);
    const sent = () =>
      plane.heartbeats
        .flatMap(({ pipelines }) => pipelines.flatMap(({ metrics }) => metrics?.components ?? []))
        .filter(({ componentId }) => componentId === "in")
        .reduce((sum, { sentEvents }) => sum + sentEvents, 0);
    await vi.waitFor(() => expect(sent()).toBeGreaterThan(20), slow);
    const before = sent();
    await agent.stop();
    expect(isAlive(pid)).toBe(false);
    const delivered = peer.bodies.flatMap((body) => JSON.parse(body) as unknown[]).length;
    expect(delivered).toBeGreaterThanOrEqual(before);
  });
});
