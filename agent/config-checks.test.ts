import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { describe, expect, test, vi } from "vitest";
import { SessionRequestSchema } from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import { CheckVerdict } from "#gen/vectorflow/agent/v1/check_pb.ts";
import { Capability } from "#gen/vectorflow/agent/v1/session_pb.ts";
import { applied, isAlive, slow, startAgent, wanted, yaml } from "./testing/agent-harness.ts";
import { FakeControlPlane } from "./testing/fake-control-plane.ts";

const secret = "hunter2-very-secret";

function ask(
  plane: FakeControlPlane,
  checkId: string,
  configYaml: string,
  { runTests = false, ...more }: { readonly runTests?: boolean } = {},
): void {
  const body = {
    pipelineId: "p1",
    configYaml,
    secrets: { token: Buffer.from(secret) },
    certificates: [{ name: "ca", filename: "ca.pem", content: Buffer.from("pem") }],
    ...more,
  };
  plane.send({ case: "checkConfig", value: { checkId, body, runTests } });
}

const answer = (plane: FakeControlPlane, checkId: string) =>
  vi.waitFor(() => {
    const found = plane.sent("checkResult").find((result) => result.checkId === checkId);
    if (found === undefined) throw new Error("no answer yet");
    return found;
  }, slow);

const wire = (plane: FakeControlPlane): string =>
  plane.messages
    .map((message) => Buffer.from(toBinary(SessionRequestSchema, message)).toString("latin1"))
    .join("\n");

describe("a check of a configuration", () => {
  test("says what this host's Vector and policy say, applies nothing and disturbs nothing", async () => {
    const rules = await mkdtemp(join(tmpdir(), "vectorflow-policy-"));
    const policy = join(rules, "policy.yaml");
    await writeFile(policy, "version: 1\nfiles: {write: [/allowed]}\n");
    await using plane = new FakeControlPlane();
    await using agent = await startAgent(await plane.start(), { args: ["--policy", policy] });
    plane.want(wanted(1, yaml(0.5)));
    const pid = await applied(plane, 1);
    const hello = plane.sent("hello")[0];
    expect(hello?.capabilities).toContain(Capability.CHECK_CONFIG);

    ask(plane, "good", yaml(0.1));
    expect(await answer(plane, "good")).toMatchObject({
      verdict: CheckVerdict.ACCEPTED,
      problems: [],
      vectorVersion: expect.stringMatching(/^\d+\.\d+/) as string,
    });

    ask(plane, "bad", yaml(0.1).replace("type: demo_logs", "type: nothing_known"));
    const bad = await answer(plane, "bad");
    expect(bad).toMatchObject({ verdict: CheckVerdict.REFUSED });
    expect(bad.problems.length).toBeGreaterThan(0);

    const writing = yaml(0.1).replace(
      "type: blackhole",
      "type: file\n    path: /elsewhere/x\n    encoding: {codec: json}",
    );
    ask(plane, "policy", writing);
    expect((await answer(plane, "policy")).reason).toMatch(/policy of this host refuses it/);

    ask(plane, "missing", yaml(0.1).replace("format: json", 'format: "SECRET[other]"'));
    expect((await answer(plane, "missing")).reason).toContain('secret "other"');

    // Vector quotes the value in its error, and it stays on the host.
    ask(plane, "leak", yaml(0.1).replace("interval: 0.1", 'interval: "SECRET[token]"'));
    const leak = await answer(plane, "leak");
    expect(leak.verdict).toBe(CheckVerdict.REFUSED);
    expect(wire(plane)).not.toContain(secret);

    expect(plane.last("p1")).toMatchObject({ pid, effectiveVersion: 1 });
    expect(isAlive(pid)).toBe(true);
    expect(await readdir(join(agent.folder, "checks"))).toEqual([]);
    expect(await readdir(join(agent.folder, "pipelines"))).toEqual(["p1"]);
    await rm(rules, { recursive: true, force: true });
  });

  test("too many wait for nobody, a repeat and a cancelled one are not answered", async () => {
    await using plane = new FakeControlPlane();
    await using agent = await startAgent(await plane.start());
    await vi.waitFor(() => expect(plane.heartbeats.length).toBeGreaterThan(0), slow);
    for (let index = 0; index < 12; index += 1) ask(plane, `c${index}`, yaml(0.1));
    ask(plane, "c0", yaml(0.1));
    plane.send({ case: "checkCancel", value: { checkId: "c7" } });
    plane.send({ case: "checkCancel", value: { checkId: "never asked" } });
    await vi.waitFor(() => expect(plane.sent("checkResult")).toHaveLength(11), slow);
    const verdicts = Map.groupBy(plane.sent("checkResult"), ({ verdict }) => verdict);
    expect(verdicts.get(CheckVerdict.ACCEPTED)).toHaveLength(7);
    expect(verdicts.get(CheckVerdict.FAILED)?.map(({ checkId }) => checkId)).toEqual([
      "c8",
      "c9",
      "c10",
      "c11",
    ]);
    ask(plane, "last", yaml(0.1));
    await answer(plane, "last");
    expect(plane.sent("checkResult").map(({ checkId }) => checkId)).not.toContain("c7");
    expect(await readdir(join(agent.folder, "checks"))).toEqual([]);
  });

  test("without a body, or with one that is too large, it says so", async () => {
    await using plane = new FakeControlPlane();
    await using _agent = await startAgent(await plane.start());
    await vi.waitFor(() => expect(plane.heartbeats.length).toBeGreaterThan(0), slow);
    plane.send({ case: "checkConfig", value: { checkId: "empty" } });
    expect(await answer(plane, "empty")).toMatchObject({ verdict: CheckVerdict.FAILED });
    ask(plane, "large", `#${"x".repeat(8_000_000)}`);
    expect((await answer(plane, "large")).reason).toContain("larger than 8 MB");
  });

  test("runs unit tests where Vector can, and its policy judges them too", async () => {
    const rules = await mkdtemp(join(tmpdir(), "vectorflow-policy-"));
    const policy = join(rules, "policy.yaml");
    await writeFile(policy, "version: 1\nfiles: {read: [/allowed]}\n");
    await using plane = new FakeControlPlane();
    await using agent = await startAgent(await plane.start(), { args: ["--policy", policy] });
    await vi.waitFor(() => expect(plane.heartbeats.length).toBeGreaterThan(0), slow);
    const tests = (condition: string, more = ""): string => `transforms:
  parse: {type: remap, inputs: [in], source: .a = 1}
${more}tests:
  - name: it has a number
    inputs: [{insert_at: parse, value: x}]
    outputs: [{extract_from: parse, conditions: ['${condition}']}]
`;
    ask(plane, "passing", tests(".a == 1"), { runTests: true });
    ask(plane, "failing", tests(".a == 2"), { runTests: true });
    const table = `enrichment_tables:
  t: {type: file, file: {path: /elsewhere/t.csv, encoding: {type: csv}}}
`;
    ask(plane, "policy", tests(".a == 1", table), { runTests: true });
    expect((await answer(plane, "policy")).reason).toMatch(/policy of this host refuses it/);
    const [passing, failing] = [await answer(plane, "passing"), await answer(plane, "failing")];
    if (process.env["VECTOR_BIN"] === undefined) {
      // vector-sim has no such command.
      expect(passing).toMatchObject({ verdict: CheckVerdict.FAILED, tests: [] });
      expect(passing.reason).toContain("vector test exited with code");
    } else {
      const name = "it has a number";
      expect(passing).toMatchObject({
        verdict: CheckVerdict.ACCEPTED,
        tests: [{ name, passed: true, message: "" }],
      });
      expect(failing.tests).toMatchObject([
        { name, passed: false, message: expect.stringContaining("condition[0]") as string },
      ]);
    }
    expect(await readdir(join(agent.folder, "checks"))).toEqual([]);
    await rm(rules, { recursive: true, force: true });
  });
});
