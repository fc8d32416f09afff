import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";
import { TrialService } from "#gen/vectorflow/v1/trial_service_pb.ts";
import { VariableService } from "#gen/vectorflow/v1/variable_service_pb.ts";
import { newId } from "../db/columns.ts";
import { eventually } from "../testing/eventually.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
let admin: Awaited<ReturnType<typeof setUp>>;

beforeAll(async () => {
  server = await startTestServer(inject("templateUrl"));
  admin = await setUp(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const refusal = (error: unknown) => {
  const { code, rawMessage } = ConnectError.from(error);
  return { code, message: rawMessage };
};

const yaml = `sources:
  in: {type: demo_logs, format: json}
sinks:
  out:
    type: http
    inputs: [in]
    uri: https://VAR[host]/in
    encoding: {codec: json}
    batch:
      max_events: VAR[size]
`;

async function begin() {
  const environments = server.client(EnvironmentService, admin.token);
  const { environment } = await environments.createEnvironment({
    teamId: admin.teamId,
    name: newId(),
  });
  const environmentId = environment?.id ?? "";
  const variables = server.client(VariableService, admin.token);
  const pipelines = server.client(PipelineService, admin.token);
  return {
    environmentId,
    variables,
    pipelines,
    set: async (name: string, value: string) =>
      (await variables.createVariable({ environmentId, name, value })).variable?.id ?? "",
    pipeline: async (name: string, text = yaml) =>
      (await pipelines.createPipeline({ environmentId, name, yaml: text })).pipeline?.summary?.id ??
      "",
    agent: async () => {
      const { token } = await environments.createEnrollmentToken({ environmentId });
      const agent = new FakeAgent(server.server.agentUrl, newId());
      await agent.enroll(token);
      await agent.connect();
      return agent;
    },
  };
}

const configOf = (agent: FakeAgent): string =>
  agent.desired.flatMap(({ bodies }) => bodies).at(-1)?.configYaml ?? "";

describe("variables", () => {
  test("are written into what is deployed, and missing ones refuse it by name", async () => {
    const { environmentId, set, pipeline, pipelines, agent, variables } = await begin();
    const id = await pipeline("Web");
    const refused = await pipelines.deployPipeline({ id }).catch(refusal);
    expect(refused).toEqual({
      code: Code.InvalidArgument,
      message: "out: there is no variable named host in this environment (and 1 more)",
    });
    const { missing } = await variables.listVariables({ environmentId });
    expect(missing.map(({ name, uses }) => [name, uses[0]?.pipelineName])).toEqual([
      ["host", "Web"],
      ["size", "Web"],
    ]);
    await set("host", "logs.example.com");
    await set("size", "100");
    await using host = await agent();
    await pipelines.deployPipeline({ id });
    await eventually(() => expect(configOf(host)).toContain("https://logs.example.com/in"));
    expect(configOf(host)).toContain("max_events: 100\n");
    expect((await pipelines.getPipeline({ id })).pipeline?.yaml).toBe(yaml);
  });

  test("that change say whom they change, and reach hosts by a deploy of all of them (S20)", async () => {
    const world = await begin();
    const { environmentId, variables, pipelines } = world;
    await world.set("host", "logs.example.com");
    const size = await world.set("size", "100");
    const [first, second] = [await world.pipeline("First"), await world.pipeline("Second")];
    for (const id of [first, second]) await pipelines.deployPipeline({ id });
    await using host = await world.agent();
    await eventually(() => expect(host.held.size).toBe(2));
    // A draft that is not ready stays a draft.
    const { pipeline } = await pipelines.getPipeline({ id: second });
    const draft = `${yaml}  more: {type: blackhole, inputs: [in]}\n`;
    await pipelines.updatePipeline({ id: second, revision: pipeline?.revision ?? "", yaml: draft });

    const effects = await variables.previewVariable({ environmentId, id: size, value: "200" });
    expect(effects.pipelines).toMatchObject([
      { name: "First", componentKeys: ["out"], errors: [], nodeCount: 1 },
      { name: "Second", componentKeys: ["out"], errors: [], nodeCount: 1 },
    ]);
    const bad = { environmentId, id: size, value: "many", valueBefore: "100", deploy: true };
    const wrong = await variables.previewVariable(bad);
    expect(wrong.pipelines[0]?.errors).toEqual([
      "out: max_events must be a whole number, not below 0",
    ]);
    expect(await variables.updateVariable(bad).catch(refusal)).toMatchObject({
      code: Code.InvalidArgument,
      message: expect.stringContaining("nothing was changed: First would have errors") as string,
    });

    // Saved alone it changes nothing that runs, and says so.
    const change = { environmentId, id: size, value: "200", valueBefore: "100" };
    const saved = await variables.updateVariable(change);
    expect(saved).toMatchObject({ deployedNames: [], staleNames: ["First", "Second"] });
    const { pipeline: stale } = await pipelines.getPipeline({ id: first });
    expect(stale?.summary).toMatchObject({ changed: true, deployedVersion: 1 });
    const preview = await pipelines.previewPipeline({ id: first, yaml });
    expect(preview.changes).toMatchObject([{ componentKey: "out" }]);
    expect(
      [preview.deployedYaml, preview.configYaml].map((text) => /max_events: (\d+)/.exec(text)?.[1]),
    ).toEqual(["100", "200"]);
    const { variables: listed } = await variables.listVariables({ environmentId });
    expect(listed.at(-1)?.uses).toMatchObject([
      { pipelineName: "First", deployed: true, deployedValue: "100" },
      { pipelineName: "Second", deployedValue: "100" },
    ]);
    // The second of two editors is told.
    expect(await variables.updateVariable(change).catch(refusal)).toMatchObject({
      code: Code.Aborted,
    });

    const done = await variables.updateVariable({
      ...change,
      value: "300",
      valueBefore: "200",
      deploy: true,
    });
    expect(done.deployedNames).toEqual(["First", "Second"]);
    await eventually(() => {
      for (const id of [first, second]) expect(host.held.get(id)?.version).toBe(2);
    });
    expect(configOf(host)).toContain("max_events: 300\n");
    const { pipeline: after } = await pipelines.getPipeline({ id: second });
    expect(after?.yaml).toBe(draft);
    expect(after?.summary).toMatchObject({ changed: true, deployedVersion: 2 });
    const { versions } = await pipelines.listVersions({ pipelineId: first });
    expect(versions[0]?.changelog).toBe('Variable size: "300"');
    // Back to what ran before means its values too: they may be what was wrong.
    await pipelines.rollbackPipeline({ id: first, version: 1 });
    await eventually(() => expect(host.held.get(first)?.version).toBe(3));
    expect(configOf(host)).toContain("max_events: 100\n");
  });

  test("reach no pipeline whose tests must pass and do not with the new value", async () => {
    const { environmentId, set, pipeline, pipelines, variables } = await begin();
    const id = await set("site", "fra");
    const text = (expected: string) => `sources:
  in: {type: demo_logs, format: json}
transforms:
  place: {type: remap, inputs: [in], source: '.site = "VAR[site]"'}
sinks:
  out: {type: blackhole, inputs: [place]}
tests:
  - name: the site
    inputs: [{insert_at: place, value: text}]
    outputs: [{extract_from: place, conditions: ['${expected}']}]
`;
    const [free, gated] = [
      await pipeline("Free", text('.site == "fra"')),
      await pipeline("Gated", text('.site != "ams"')),
    ];
    const trials = server.client(TrialService, admin.token);
    await trials.setTestGate({ pipelineId: gated, enabled: true });
    for (const each of [free, gated]) await pipelines.deployPipeline({ id: each });
    const preview = await variables.previewVariable({ environmentId, id, value: "ams" });
    expect(preview.pipelines).toMatchObject([
      { name: "Free", failedTests: [] },
      {
        name: "Gated",
        errors: [],
        failedTests: [expect.stringMatching(/^the test the site fails: .+$/)],
      },
    ]);
    const change = { environmentId, id, value: "ams", valueBefore: "fra", deploy: true };
    expect(await variables.updateVariable(change).catch(refusal)).toEqual({
      code: Code.FailedPrecondition,
      message: expect.stringContaining(
        "nothing was changed: Gated is deployed only when its tests pass: the test the site fails",
      ) as string,
    });
    const { variables: listed } = await variables.listVariables({ environmentId });
    expect(listed).toMatchObject([{ name: "site", value: "fra" }]);
    const done = await variables.updateVariable({ ...change, value: "muc" });
    expect(done.deployedNames).toEqual(["Free", "Gated"]);
  });

  test("may name secrets, which hosts then get, and are deleted when it is known who uses them", async () => {
    const { environmentId, set, pipeline, pipelines, agent, variables } = await begin();
    await server
      .client(SecretService, admin.token)
      .createSecret({ environmentId, name: "token", value: "of-the-secret" });
    const host = await set("host", "example.com/SECRET[token]");
    await set("size", "1");
    const id = await pipeline("Web");
    await pipelines.deployPipeline({ id });
    await using fake = await agent();
    await eventually(() => expect(configOf(fake)).toContain("SECRET[token]"));
    const body = fake.desired.flatMap(({ bodies }) => bodies).at(-1);
    expect(new TextDecoder().decode(body?.secrets["token"])).toBe("of-the-secret");
    const remove = { environmentId, id: host };
    expect(await variables.deleteVariable(remove).catch(refusal)).toEqual({
      code: Code.FailedPrecondition,
      message: "pipelines use the variable host: Web",
    });
    const held = fake.held.get(id)?.hash;
    await variables.deleteVariable({ ...remove, confirmInUse: true });
    expect(fake.held.get(id)?.hash).toBe(held);
    expect((await variables.listVariables({ environmentId })).missing).toMatchObject([
      { name: "host", uses: [{ deployed: true, deployedValue: "example.com/SECRET[token]" }] },
    ]);
  });

  test.each([
    [{ name: "9", value: "x" }, Code.InvalidArgument],
    [{ name: "a", value: "two\nlines" }, Code.InvalidArgument],
    [{ name: "a", value: "x".repeat(4097) }, Code.InvalidArgument],
    [{ name: "a", value: "VAR[b]" }, Code.InvalidArgument],
    [{ name: "taken", value: "x" }, Code.AlreadyExists],
  ])("refuse %o", async (input, code) => {
    const { environmentId, set, variables } = await begin();
    await set("taken", "");
    const call = variables.createVariable({ environmentId, ...input });
    expect(await call.catch(refusal)).toMatchObject({ code });
  });
});
