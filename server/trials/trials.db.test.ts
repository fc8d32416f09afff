import { ConnectError, type Client } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { ErrorInfoSchema } from "#gen/vectorflow/v1/error_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { EventVerdict, TrialService, UnitTestState } from "#gen/vectorflow/v1/trial_service_pb.ts";
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
  await save(textOf(".a = 2"));
  expect((await pipelines.rollbackPipeline({ id, version: 1 })).version?.version).toBe(3);
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
