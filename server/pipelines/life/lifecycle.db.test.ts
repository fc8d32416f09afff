import { Code, ConnectError, type Client } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { DeliveryService } from "#gen/vectorflow/v1/delivery_service_pb.ts";
import { SelectorOperator } from "#gen/vectorflow/v1/delivery_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { ErrorInfoSchema } from "#gen/vectorflow/v1/error_pb.ts";
import { LifecycleService } from "#gen/vectorflow/v1/lifecycle_service_pb.ts";
import { PipelineState } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";
import { TrialService } from "#gen/vectorflow/v1/trial_service_pb.ts";
import { VariableService } from "#gen/vectorflow/v1/variable_service_pb.ts";
import { newId } from "../../db/columns.ts";
import { eventually } from "../../testing/eventually.ts";
import { FakeAgent } from "../../testing/fake-agent.ts";
import { newMemberToken } from "../../testing/new-member.ts";
import { openSql, type Sql } from "../../testing/seed.ts";
import { setUp, startTestServer, type TestServer } from "../../testing/test-server.ts";

const yamlWith = (option: string): string => `# Kept as it is.
sources:
  in: {type: demo_logs, format: json}
sinks:
  out:
    type: http
    inputs: [in]
    uri: https://example.com
    encoding: {codec: json}
    ${option}
`;
const plain = yamlWith("compression: gzip");
const withSecret = yamlWith(`auth: {strategy: bearer, token: "SECRET[token]"}`);

let server: TestServer;
let admin: Awaited<ReturnType<typeof setUp>>;
let sql: Sql;
let pipelines: Client<typeof PipelineService>;
let lifecycle: Client<typeof LifecycleService>;
let staging: string;

beforeAll(async () => {
  server = await startTestServer(inject("templateUrl"));
  admin = await setUp(server);
  sql = await openSql(server.databaseUrl);
  pipelines = server.client(PipelineService, admin.token);
  lifecycle = server.client(LifecycleService, admin.token);
  const { environment } = await server
    .client(EnvironmentService, admin.token)
    .createEnvironment({ teamId: admin.teamId, name: "Staging" });
  staging = environment?.id ?? "";
});

afterAll(async () => {
  await sql[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const refusal = (error: unknown) => {
  const { code, rawMessage, ...rest } = ConnectError.from(error);
  const details = ConnectError.from(error).findDetails(ErrorInfoSchema);
  return { code, reason: details[0]?.reason ?? "", message: rawMessage, rest: Object.keys(rest) };
};

const refused = async (call: Promise<unknown>): Promise<string> => {
  const { reason, message } = await call.then(
    () => ({ reason: "answered", message: "" }),
    (error: unknown) => refusal(error),
  );
  return `${reason}: ${message}`;
};

async function aDraft(yaml = plain, environmentId = admin.environmentId): Promise<string> {
  const { pipeline } = await pipelines.createPipeline({ environmentId, name: newId(), yaml });
  return pipeline?.summary?.id ?? "";
}

async function deployed(yaml = plain): Promise<string> {
  const id = await aDraft(yaml);
  await pipelines.deployPipeline({ id });
  return id;
}

const summaryOf = async (id: string) => (await pipelines.getPipeline({ id })).pipeline?.summary;

const actionsOf = (id: string) =>
  sql.query<{ action: string; metadata: Record<string, unknown>; environmentId: string }>(
    `select "action", "metadata", "environmentId" from "AuditLog" where "entityId" = $1 order by "sequence"`,
    [id],
  );

describe("the life of a pipeline", () => {
  test("tells never deployed, deployed, paused and undeployed apart", async () => {
    const id = await aDraft();
    const seen = async () => {
      const summary = await summaryOf(id);
      const { pipelines: list } = await pipelines.listPipelines({
        environmentId: admin.environmentId,
        pageSize: 500,
      });
      const listed = list.find((one) => one.id === id);
      expect(listed?.state).toBe(summary?.state);
      return [
        summary?.state,
        summary?.draft,
        summary?.deployedVersion,
        summary?.pausedVersion,
        summary?.undeployedVersion,
      ];
    };
    const states = [await seen()];
    await pipelines.deployPipeline({ id });
    states.push(await seen());
    await lifecycle.pausePipeline({ id });
    states.push(await seen());
    await lifecycle.resumePipeline({ id });
    states.push(await seen());
    await pipelines.undeployPipeline({ id });
    states.push(await seen());
    expect(states).toEqual([
      [PipelineState.NEVER_DEPLOYED, true, 0, 0, 0],
      [PipelineState.DEPLOYED, false, 1, 0, 0],
      [PipelineState.PAUSED, true, 0, 1, 0],
      [PipelineState.DEPLOYED, false, 1, 0, 0],
      [PipelineState.UNDEPLOYED, true, 0, 0, 1],
    ]);
  });

  test("a pause takes it off its hosts, and resume puts the same version and hash back", async () => {
    await using agent = new FakeAgent(server.server.agentUrl, newId());
    await agent.enroll(admin.enrollmentToken);
    await agent.connect();
    const id = await deployed();
    await eventually(() => expect(agent.held.has(id)).toBe(true));
    const before = agent.held.get(id);
    const { version } = await lifecycle.pausePipeline({ id, reason: "disk is full" });
    expect(version).toBe(1);
    await eventually(() => expect(agent.held.has(id)).toBe(false));
    // The draft may change meanwhile: what comes back is what ran.
    const { pipeline } = await pipelines.getPipeline({ id });
    await pipelines.updatePipeline({
      id,
      revision: pipeline?.revision ?? "",
      yaml: yamlWith("compression: none"),
    });
    expect(await summaryOf(id)).toMatchObject({ changed: true, pausedVersion: 1 });
    await lifecycle.resumePipeline({ id });
    await eventually(() => expect(agent.held.get(id)).toEqual(before));
    const { versions } = await pipelines.listVersions({ pipelineId: id });
    expect(versions).toHaveLength(1);
    expect((await actionsOf(id)).map(({ action }) => action)).toEqual([
      "pipeline.created",
      "pipeline.deployed",
      "pipeline.paused",
      "pipeline.updated",
      "pipeline.resumed",
    ]);
  });

  test("a deploy or rollback does not end a pause unless that is meant", async () => {
    const id = await deployed();
    await lifecycle.pausePipeline({ id });
    expect(await refused(pipelines.deployPipeline({ id }))).toMatch(
      /^pipeline_paused: .* is paused/,
    );
    expect(await refused(pipelines.rollbackPipeline({ id, version: 1 }))).toMatch(
      /^pipeline_paused/,
    );
    expect(await summaryOf(id)).toMatchObject({ state: PipelineState.PAUSED, pausedVersion: 1 });
    const { version } = await pipelines.deployPipeline({ id, endPause: true });
    expect(version?.version).toBe(2);
    expect(await summaryOf(id)).toMatchObject({
      state: PipelineState.DEPLOYED,
      deployedVersion: 2,
      pausedVersion: 0,
    });
    expect((await actionsOf(id)).at(-1)?.metadata).toMatchObject({
      version: 2,
      endedPauseOfVersion: 1,
    });
  });

  test("what is neither deployed nor paused cannot be paused or resumed", async () => {
    const id = await aDraft();
    expect(await refused(lifecycle.pausePipeline({ id }))).toMatch(/^pipeline_not_deployed/);
    expect(await refused(lifecycle.resumePipeline({ id }))).toMatch(/^pipeline_not_paused/);
    await pipelines.deployPipeline({ id });
    expect(await refused(lifecycle.resumePipeline({ id }))).toMatch(/^pipeline_not_paused/);
    await lifecycle.pausePipeline({ id });
    expect(await refused(lifecycle.pausePipeline({ id }))).toMatch(/^pipeline_paused/);
  });

  test("an undeploy can be undone, by naming the version that ran", async () => {
    const id = await deployed();
    const { version } = await pipelines.undeployPipeline({ id });
    expect(version).toBe(1);
    expect(await refused(lifecycle.resumePipeline({ id }))).toMatch(/^pipeline_not_paused/);
    expect(await refused(lifecycle.resumePipeline({ id, version: 7 }))).toMatch(
      /^pipeline_changed: version 1 of/,
    );
    await lifecycle.resumePipeline({ id, version });
    expect(await summaryOf(id)).toMatchObject({ deployedVersion: 1, undeployedVersion: 0 });
  });

  test("secrets of what is paused stay in use, and it does not come back without them", async () => {
    const secrets = server.client(SecretService, admin.token);
    const { environmentId } = admin;
    const { secret } = await secrets.createSecret({
      environmentId,
      name: "token",
      value: "tttttt",
    });
    const id = await deployed(withSecret);
    await lifecycle.pausePipeline({ id });
    const secretId = secret?.id ?? "";
    expect(await refused(secrets.deleteSecret({ environmentId, id: secretId }))).toMatch(/in_use/);
    await secrets.deleteSecret({ environmentId, id: secretId, confirmInUse: true });
    expect(await refused(lifecycle.resumePipeline({ id }))).toBe(
      "reference_missing: the secret token does not exist in this environment",
    );
    expect((await summaryOf(id))?.state).toBe(PipelineState.PAUSED);
    await secrets.createSecret({ environmentId, name: "token", value: "uuuuuu" });
    await lifecycle.resumePipeline({ id });
    expect((await summaryOf(id))?.state).toBe(PipelineState.DEPLOYED);
  });

  test("a delete undeploys first, and the history stays in the audit", async () => {
    const id = await deployed();
    await pipelines.deletePipeline({ id });
    const rows = await actionsOf(id);
    expect(rows.map(({ action }) => action)).toEqual([
      "pipeline.created",
      "pipeline.deployed",
      "pipeline.undeployed",
      "pipeline.deleted",
    ]);
    expect(rows.at(-1)?.metadata).toMatchObject({ deployedVersion: 1, versionCount: 1 });
  });
});

describe("clone", () => {
  test("copies draft, settings and places under a free name, and deploys nothing", async () => {
    const id = await deployed();
    const name = (await summaryOf(id))?.name ?? "";
    const delivery = server.client(DeliveryService, admin.token);
    await delivery.setLimits({ pipelineId: id, limits: { memoryMib: 256, cpuCores: 1 } });
    const { etag } = await delivery.getDelivery({ pipelineId: id });
    const terms = [{ key: "site", operator: SelectorOperator.EQUALS, values: ["fra"] }];
    await delivery.setSelector({ pipelineId: id, etag, selector: { terms }, confirmStops: true });
    await sql.query(`update "PipelineNode" set "positionX" = 777 where "pipelineId" = $1`, [id]);
    const first = await lifecycle.clonePipeline({ id });
    const second = await lifecycle.clonePipeline({ id });
    expect([first, second].map(({ pipeline }) => pipeline?.summary?.name)).toEqual([
      `${name} copy`,
      `${name} copy 2`,
    ]);
    const cloneId = first.pipeline?.summary?.id ?? "";
    expect(first.pipeline).toMatchObject({
      yaml: plain,
      summary: { state: PipelineState.NEVER_DEPLOYED, environmentId: admin.environmentId },
    });
    const settings = await delivery.getDelivery({ pipelineId: cloneId });
    expect(settings).toMatchObject({ limits: { memoryMib: 256, cpuCores: 1 } });
    expect(settings.selector?.terms).toMatchObject([{ key: "site", values: ["fra"] }]);
    const rows = await sql.query<{ x: number }>(
      `select distinct "positionX" as x from "PipelineNode" where "pipelineId" = $1`,
      [cloneId],
    );
    expect(rows).toEqual([{ x: 777 }]);
    expect((await actionsOf(cloneId)).map(({ action, metadata }) => [action, metadata])).toEqual([
      [
        "pipeline.cloned",
        expect.objectContaining({ fromPipelineId: id, fromPipelineName: name, fromRevision: 1 }),
      ],
    ]);
    expect(await refused(lifecycle.clonePipeline({ id, name: `${name} COPY` }))).toMatch(
      /^pipeline_name_taken/,
    );
  });
});

test.each([
  { how: "a clone", copy: (id: string) => lifecycle.clonePipeline({ id }) },
  {
    how: "a promotion to a new pipeline",
    copy: (id: string) => lifecycle.promotePipeline({ id, targetEnvironmentId: staging }),
  },
])("$how is deployed only when its tests pass, as its source is", async ({ copy }) => {
  const id = await aDraft(plain);
  const trials = server.client(TrialService, admin.token);
  await trials.setTestGate({ pipelineId: id, enabled: true });
  const { pipeline } = await copy(id);
  expect(await refused(pipelines.deployPipeline({ id: pipeline?.summary?.id ?? "" }))).toMatch(
    /^tests_missing/,
  );
});

describe("promotion", () => {
  test("names what is missing there, and does nothing", async () => {
    const id = await aDraft(withSecret);
    const request = { id, targetEnvironmentId: staging };
    const preview = await lifecycle.previewPromotion(request);
    expect(preview.references).toMatchObject([{ kind: "secret", name: "token", exists: false }]);
    expect(preview.target).toBeUndefined();
    expect(await refused(lifecycle.promotePipeline(request))).toBe(
      "reference_missing: the secret token does not exist in Staging",
    );
    const { pipelines: there } = await pipelines.listPipelines({ environmentId: staging });
    const name = (await summaryOf(id))?.name;
    expect(there.filter((one) => one.name === name)).toEqual([]);
    const varied = await aDraft(yamlWith("compression: VAR[packing]"));
    const variables = server.client(VariableService, admin.token);
    expect(
      (await lifecycle.previewPromotion({ id: varied, targetEnvironmentId: staging })).references,
    ).toMatchObject([{ kind: "variable", name: "packing", exists: false }]);
    const promote = { id: varied, targetEnvironmentId: staging };
    expect(await refused(lifecycle.promotePipeline(promote))).toBe(
      "reference_missing: the variable packing does not exist in Staging",
    );
    await variables.createVariable({ environmentId: staging, name: "packing", value: "gzip" });
    expect((await lifecycle.promotePipeline(promote)).created).toBe(true);
  });

  test("makes a draft there, and then replaces it at the revision that was reviewed", async () => {
    const id = await deployed();
    const request = { id, targetEnvironmentId: staging, version: 1 };
    const first = await lifecycle.promotePipeline(request);
    const there = first.pipeline?.summary?.id ?? "";
    expect(first).toMatchObject({
      created: true,
      pipeline: { yaml: plain, summary: { state: PipelineState.NEVER_DEPLOYED } },
    });
    const [row] = await actionsOf(there);
    expect(row).toMatchObject({
      action: "pipeline.promoted",
      environmentId: staging,
      metadata: {
        fromPipelineId: id,
        fromEnvironmentId: admin.environmentId,
        fromEnvironmentName: "Production",
        fromVersion: 1,
      },
    });

    const next = yamlWith("compression: none");
    await pipelines.updatePipeline({ id, revision: "1", yaml: next });
    expect(await refused(lifecycle.promotePipeline({ ...request, version: 0 }))).toMatch(
      /^pipeline_name_taken/,
    );
    const preview = await lifecycle.previewPromotion({ ...request, version: 0 });
    expect(preview).toMatchObject({ yaml: next, target: { id: there, yaml: plain } });
    const reviewed = {
      ...request,
      version: 0,
      targetRevision: preview.target?.revision ?? "",
      sourceRevision: preview.sourceRevision,
    };
    // Somebody saves there between the review and the promotion.
    await pipelines.updatePipeline({ id: there, revision: "1", description: "ours" });
    expect(await refused(lifecycle.promotePipeline(reviewed))).toMatch(/^pipeline_changed/);
    expect((await pipelines.getPipeline({ id: there })).pipeline?.yaml).toBe(plain);
    const second = await lifecycle.promotePipeline({ ...reviewed, targetRevision: "2" });
    expect(second).toMatchObject({ created: false, pipeline: { yaml: next, revision: "3" } });
    expect(second.pipeline?.summary?.description).toBe("ours");
  });

  test("needs a role in both teams, and tells nobody of an environment that is not theirs", async () => {
    const id = await aDraft();
    const editor = await newMemberToken(server, admin.teamId, "EDITOR");
    const viewer = await newMemberToken(server, admin.teamId, "VIEWER");
    const foreignTeam = newId();
    const foreign = newId();
    await sql.query(`insert into "Team" ("id", "name") values ($1, 'Foreign')`, [foreignTeam]);
    await sql.query(`insert into "Environment" ("id", "name", "teamId") values ($1, $1, $2)`, [
      foreign,
      foreignTeam,
    ]);
    const promote = (token: string, targetEnvironmentId: string) =>
      refused(server.client(LifecycleService, token).promotePipeline({ id, targetEnvironmentId }));
    expect(await promote(viewer, staging)).toMatch(/^not_allowed/);
    expect(await promote(editor, foreign)).toMatch(/^environment_not_found/);
    expect(await promote(editor, newId())).toMatch(/^environment_not_found/);
    expect(await promote(await newMemberToken(server, foreignTeam, "ADMIN"), foreign)).toMatch(
      /^pipeline_not_found/,
    );
    expect(await promote(editor, admin.environmentId)).toMatch(/^same_environment/);
    expect(await promote(editor, staging)).toMatch(/^answered/);
  });
});

test("refusals carry a code that callers can act on", async () => {
  const id = await aDraft();
  const error = await lifecycle.pausePipeline({ id }).catch((thrown: unknown) => thrown);
  expect(refusal(error).code).toBe(Code.FailedPrecondition);
});
