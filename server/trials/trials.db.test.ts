import { ConnectError, type Client } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { CheckVerdict, type CheckConfig } from "#gen/vectorflow/agent/v1/check_pb.ts";
import { Capability } from "#gen/vectorflow/agent/v1/session_pb.ts";
import { ErrorInfoSchema } from "#gen/vectorflow/v1/error_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";
import { EventVerdict, TrialService, UnitTestState } from "#gen/vectorflow/v1/trial_service_pb.ts";
import { eventually } from "../testing/eventually.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { newMemberToken } from "../testing/new-member.ts";
import { openSql } from "../testing/seed.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
let pipelines: Client<typeof PipelineService>;
let trials: Client<typeof TrialService>;
let owner: Awaited<ReturnType<typeof setUp>>;

beforeAll(async () => {
  server = await startTestServer(inject("templateUrl"));
  owner = await setUp(server);
  pipelines = server.client(PipelineService, owner.token);
  trials = server.client(TrialService, owner.token);
});
afterAll(() => server[Symbol.asyncDispose]());

const textOf = (program: string, tests = ""): string => `sources:
  in: {type: demo_logs, format: json}
transforms:
  change: {type: remap, inputs: [in], source: '${program}'}
sinks:
  out: {type: blackhole, inputs: [change]}
${tests}`;

const expecting = (condition: string): string => `tests:
  - name: it has a level
    inputs: [{insert_at: change, value: text}]
    outputs: [{extract_from: change, conditions: ['${condition}']}]
`;

async function draft(name: string, yaml: string): Promise<string> {
  const { pipeline } = await pipelines.createPipeline({
    environmentId: owner.environmentId,
    name,
    yaml,
  });
  return pipeline?.summary?.id ?? "";
}

async function refusal(call: Promise<unknown>): Promise<string | undefined> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.reason;
}

test("the tests of a text that is not saved are run, with the place of each", async () => {
  const pipelineId = await draft("Tested", textOf(".a = 1"));
  const yaml = textOf('.level = "info"', expecting('.level == "info"'));
  const passed = await trials.runTests({ pipelineId, yaml });
  expect(passed).toMatchObject({
    problems: [],
    tests: [{ name: "it has a level", state: UnitTestState.PASSED, messages: [] }],
    gate: false,
  });
  const [only] = passed.tests;
  expect(yaml.slice(only?.from, only?.to)).toMatch(/^name: it has a level/);
  const failing = textOf(".a = 1", expecting("exists(.level)"));
  expect(await trials.runTests({ pipelineId, yaml: failing })).toMatchObject({
    tests: [
      {
        state: UnitTestState.FAILED,
        messages: expect.arrayContaining([expect.stringContaining("condition[0]")]),
      },
    ],
  });
  const broken = textOf(".a = ", expecting("true"));
  expect(await trials.runTests({ pipelineId, yaml: broken })).toMatchObject({
    problems: [{ componentKey: "change" }],
    tests: [],
  });
});

test("behind the gate only a text is deployed whose tests are there and pass", async () => {
  const failing = textOf(".a = 1", expecting("exists(.level)"));
  const id = await draft("Gated", failing);
  await trials.setTestGate({ pipelineId: id, enabled: true });
  const deploy = () => pipelines.deployPipeline({ id });
  const save = async (yaml: string): Promise<void> => {
    const { pipeline } = await pipelines.getPipeline({ id });
    await pipelines.updatePipeline({ id, revision: pipeline?.revision ?? "", yaml });
  };
  expect(await refusal(deploy())).toBe("tests_failed");
  await save(textOf(".a = 1"));
  expect(await refusal(deploy())).toBe("tests_missing");
  await save(textOf(".h = get_hostname!()", expecting("true")));
  expect(await refusal(deploy())).toBe("tests_not_run");
  await save(textOf('.level = "info"', expecting("exists(.level)")));
  expect((await deploy()).version?.version).toBe(1);
  await trials.setTestGate({ pipelineId: id, enabled: false });
  await save(failing);
  expect((await deploy()).version?.version).toBe(2);
  // In an emergency what ran before is not held up by its tests.
  await trials.setTestGate({ pipelineId: id, enabled: true });
  await save(textOf('.level = "other"', expecting(".level == 1")));
  const { pipeline } = await pipelines.getPipeline({ id });
  const back = { id, version: 2, revision: pipeline?.revision ?? "" };
  expect((await pipelines.rollbackPipeline(back)).version?.version).toBe(3);
});

test("tests that only Vector can run are run on a host, without secrets, and open the gate", async () => {
  const tests = `tests:
  - name: it is merged
    inputs: [{insert_at: merge, value: text}]
    outputs: [{extract_from: merge}]
`;
  const yaml = `${textOf(".a = 1").replace("[change]", "[merge]").replace("sinks:", "  merge: {type: reduce, inputs: [change]}\nsinks:").replace("{type: blackhole", '{type: http, uri: "http://example.com/SECRET[token]", encoding: {codec: json}')}${tests}`;
  await server
    .client(SecretService, owner.token)
    .createSecret({ environmentId: owner.environmentId, name: "token", value: "the value" });
  const id = await draft("On a host", yaml);
  await trials.setTestGate({ pipelineId: id, enabled: true });
  const run = async (text = yaml) => {
    const news = [];
    for await (const one of trials.runTestsOnHost({ pipelineId: id, yaml: text })) news.push(one);
    return news;
  };
  expect(await refusal(run())).toBe("node_offline");
  await using agent = new FakeAgent(server.server.agentUrl, "tester");
  agent.capabilities = [Capability.CHECK_CONFIG];
  await agent.enroll(owner.enrollmentToken, "tester");
  await agent.connect();
  agent.heartbeat();
  const asked: CheckConfig[] = [];
  let passed = false;
  agent.onMessage = (message) => {
    if (message.case !== "checkConfig") return;
    asked.push(message.value);
    const { checkId } = message.value;
    const outcome = { name: "it is merged", passed, message: passed ? "" : "no\nevents" };
    const verdict = CheckVerdict.ACCEPTED;
    const value = { checkId, verdict, vectorVersion: "0.58.0", tests: [outcome] };
    agent.send({ case: "checkResult", value });
  };
  await eventually(async () => expect(await refusal(run())).toBeUndefined());
  expect((await run()).at(-1)).toMatchObject({
    nodeName: "tester",
    done: true,
    vectorVersion: "0.58.0",
    tests: [{ state: UnitTestState.FAILED, messages: ["no", "events"] }],
  });
  expect(await refusal(pipelines.deployPipeline({ id }))).toBe("tests_not_run");
  passed = true;
  expect((await run()).map(({ done, tests: ran }) => [done, ran.length])).toEqual([
    [false, 0],
    [true, 1],
  ]);
  // What the host got has neither the sink nor its secret.
  const { body, runTests } = asked.at(-1) ?? {};
  expect(runTests).toBe(true);
  expect(body?.configYaml).toContain("it is merged");
  expect(body?.configYaml).not.toContain("SECRET");
  expect(body?.secrets).toEqual({});
  expect((await pipelines.deployPipeline({ id })).version?.version).toBe(1);
  // Another text is another one.
  const { pipeline } = await pipelines.getPipeline({ id });
  const changed = yaml.replace(".a = 1", ".a = 2");
  await pipelines.updatePipeline({ id, revision: pipeline?.revision ?? "", yaml: changed });
  expect(await refusal(pipelines.deployPipeline({ id }))).toBe("tests_not_run");
  const needing = yaml.replace(".a = 1", '.a = "SECRET[token]"');
  expect(await refusal(run(needing))).toBe("tests_need_secret");
  expect(await refusal(run(textOf(".a = 1")))).toBe("tests_missing");
});

test("a draft is tried on the newest sample, and viewers see no event (X3)", async () => {
  const pipelineId = await draft("Sampled", textOf(".a = 1"));
  const yaml = textOf(".b = 2");
  expect(await trials.tryOnSample({ pipelineId, yaml })).toMatchObject({
    sampleId: "",
    transforms: [{ componentKey: "change", unknown: expect.stringContaining("sampled") }],
  });
  await using sql = await openSql(server.databaseUrl);
  for (const [id, status, events] of [
    ["older", "COMPLETED", `[{"n": 1}]`],
    ["newer", "COMPLETED", `[{"n": 2, "b": 2}, {"n": 3}]`],
    ["failed", "ERROR", "[]"],
  ]) {
    await sql.query(
      `insert into "EventSampleRequest" ("id", "pipelineId", "componentKeys", "status", "expiresAt", "completedAt",
         "createdAt") values ($1, $2, '["in"]', $3, now(), now(), clock_timestamp())`,
      [id, pipelineId, status],
    );
    await sql.query(
      `insert into "EventSample" ("id", "requestId", "pipelineId", "componentKey", "events", "schema", "sampledAt")
       values ($1, $1, $2, 'in', $3, '[]', now())`,
      [id, pipelineId, events],
    );
  }
  expect(await trials.tryOnSample({ pipelineId, yaml })).toMatchObject({
    sampleId: "newer",
    transforms: [
      {
        unknown: "",
        events: [
          { verdict: EventVerdict.UNCHANGED, before: `{"b":2,"n":2}` },
          { verdict: EventVerdict.MODIFIED, after: [{ output: "", json: `{"b":2,"n":3}` }] },
        ],
      },
    ],
  });
  const older = await trials.tryOnSample({ pipelineId, yaml, sampleId: "older" });
  expect(older.transforms[0]?.events).toMatchObject([{ before: `{"n":1}` }]);
  const viewer = server.client(TrialService, await newMemberToken(server, owner.teamId, "VIEWER"));
  expect(await refusal(viewer.tryOnSample({ pipelineId, yaml }))).toBe("not_allowed");
  expect(await refusal(viewer.runTests({ pipelineId, yaml }))).toBeUndefined();
});
