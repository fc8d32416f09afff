import { create, getOption } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { CertificateService } from "#gen/vectorflow/v1/certificate_service_pb.ts";
import { SelectorOperator } from "#gen/vectorflow/v1/delivery_pb.ts";
import { DeliveryService } from "#gen/vectorflow/v1/delivery_service_pb.ts";
import { InspectionService } from "#gen/vectorflow/v1/inspection_service_pb.ts";
import { LifecycleService } from "#gen/vectorflow/v1/lifecycle_service_pb.ts";
import { audit } from "#gen/vectorflow/v1/options_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { ProfileService } from "#gen/vectorflow/v1/profile_service_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { CertificateType } from "#gen/vectorflow/v1/secret_pb.ts";
import { SecretBackend, VaultAuth } from "#gen/vectorflow/v1/secret_backend_pb.ts";
import { SecretBackendService } from "#gen/vectorflow/v1/secret_backend_service_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";
import { SnippetService } from "#gen/vectorflow/v1/snippet_service_pb.ts";
import { TemplateService } from "#gen/vectorflow/v1/template_service_pb.ts";
import { VariableService } from "#gen/vectorflow/v1/variable_service_pb.ts";
import { hashToken } from "../auth/tokens.ts";
import { totpCode } from "../auth/totp.ts";
import { newId } from "../db/columns.ts";
import { openPool } from "../testing/database.ts";
import { call, makeCorner, methods, requestFor, type Corner } from "../testing/corner.ts";
import { certificatePem, otherCertificatePem } from "../testing/public-pem.ts";
import { demoYaml, startRunningHost, type RunningHost } from "../testing/running-host.ts";
import { adminPassword, setUp, startTestServer, type TestServer } from "../testing/test-server.ts";
import { ruleOf } from "./access-interceptor.ts";

const changes = methods.filter(
  ({ method }) =>
    method.idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS &&
    ruleOf(method)?.case !== "public",
);

let server: TestServer;
let pool: pg.Pool;
let host: RunningHost;
const left = new AbortController();

beforeAll(async () => {
  server = await startTestServer(inject("templateUrl"));
  const admin = await setUp(server);
  pool = openPool(server.databaseUrl, 2);
  host = await startRunningHost(server, admin);
  host.agent.onMessage = (message) => {
    if (message.case !== "tapStart") return;
    const { tapId } = message.value;
    host.agent.send({ case: "tapEvents", value: { tapId, started: true } });
  };
});

afterAll(async () => {
  left.abort();
  await host[Symbol.asyncDispose]();
  await pool.end();
  await server[Symbol.asyncDispose]();
});

// The host stays connected for as long as the tests take.
beforeEach(() => host.agent.heartbeat());

/**
 * What each request needs beside the id of its thing, so that it works and changes something. What has to be
 * there before is made here.
 */
const filled: Record<string, (corner: Corner) => Promise<object> | object> = {
  CreateEnvironment: () => ({ name: "Staging" }),
  UpdateNode: () => ({ name: "renamed" }),
  CreatePipeline: () => ({ name: "p", yaml: "sources: {}" }),
  UpdatePipeline: () => ({ revision: "1", name: "renamed" }),
  DeployPipeline: (corner) => draft(corner),
  UndeployPipeline: (corner) => deployed(corner),
  PausePipeline: (corner) => deployed(corner),
  ResumePipeline: async (corner) => {
    const { id } = await deployed(corner);
    await server.client(LifecycleService, corner.tokens.superAdmin).pausePipeline({ id });
    return { id };
  },
  PreviewOnHosts: () => ({ yaml: demoYaml }),
  RunTestsOnHost: () => ({ ...onHost(), yaml: testedYaml }),
  PromotePipeline: async (corner) => ({
    ...(await draft(corner)),
    targetEnvironmentId: await otherEnvironment(corner),
  }),
  RetryDeploy: (corner) => deployed(corner),
  RollbackPipeline: async (corner) => ({ ...(await deployed(corner)), version: 1 }),
  SetSelector: async ({ things, tokens }) => ({
    etag: (
      await server
        .client(DeliveryService, tokens.superAdmin)
        .getDelivery({ pipelineId: things["pipeline"] ?? "" })
    ).etag,
    selector: { terms: [{ key: "site", operator: SelectorOperator.EQUALS, values: ["fra"] }] },
  }),
  SetLogLevel: () => ({ logLevel: "debug" }),
  SetLimits: () => ({ limits: { memoryMib: 512, cpuCores: 0.5 } }),
  SetTestGate: () => ({ enabled: true }),
  CreateSecret: () => ({ name: "password", value: "hunter2-secret" }),
  UpdateSecret: async (corner) => ({ id: await secretIn(corner), value: "another" }),
  RevealSecret: async (corner) => ({ id: await secretIn(corner) }),
  DeleteSecret: async (corner) => ({ id: await secretIn(corner) }),
  UpdateSecretBackend: (corner) => otherBackend(corner),
  TestSecretBackend: (corner) => otherBackend(corner),
  RefreshSecrets: async (corner) => {
    const environmentId = corner.things["environment"] ?? "";
    await server
      .client(SecretBackendService, corner.tokens.superAdmin)
      .updateSecretBackend({ environmentId, ...(await otherBackend(corner)) });
    return {};
  },
  MoveValueToSecret: async (corner) => {
    const { id, revision } = await draft(corner, withPassword);
    const place = { componentKey: "out", field: "auth.password", secretName: "out_password" };
    return { pipelineId: id, revision, ...place };
  },
  CreateVariable: () => ({ name: "site", value: "fra" }),
  UpdateVariable: async (corner) => ({
    id: await variableIn(corner),
    value: "ber",
    valueBefore: "fra",
  }),
  DeleteVariable: async (corner) => ({ id: await variableIn(corner) }),
  CreateTemplate: () => templateFields,
  UpdateTemplate: async (corner) => ({
    ...templateFields,
    ...(await templateOf(corner)),
    name: "t2",
  }),
  DeleteTemplate: async (corner) => ({ id: (await templateOf(corner)).id }),
  UseTemplate: () => ({ templateId: "builtin-split-by-severity", name: "From a template" }),
  CreateSnippet: () => snippetFields,
  UpdateSnippet: async (corner) => ({
    ...snippetFields,
    ...(await snippetOf(corner)),
    name: "s2",
  }),
  DeleteSnippet: async (corner) => ({ id: (await snippetOf(corner)).id }),
  CreateCertificate: () => aCertificate,
  UpdateCertificate: async (corner) => ({
    id: await certificateIn(corner),
    content: otherCertificatePem,
  }),
  DeleteCertificate: async (corner) => ({ id: await certificateIn(corner) }),
  SampleEvents: () => ({ ...onHost(), componentKeys: ["in"] }),
  TapEvents: () => ({ ...onHost(), componentKeys: ["in"] }),
  OpenTerminal: () => onHost(),
  ControlTerminal: async (corner) => ({
    ...onHost(),
    terminalId: await terminalOf(corner),
    input: Buffer.from("j"),
  }),
  SetRedaction: () => ({ redaction: { fieldGlobs: ["user.mail"] } }),
  UpdateProfile: () => ({ name: "renamed" }),
  ChangePassword: async (corner) => ({
    ...(await withOwnPassword(corner)),
    newPassword: "a new password of their own",
  }),
  BeginSecondFactor: (corner) => withOwnPassword(corner),
  ConfirmSecondFactor: async (corner) => ({ code: await firstCode(corner) }),
  CreateBackupCodes: async (corner) => ({ code: await backupCode(corner) }),
  DisableSecondFactor: async (corner) => ({
    code: await backupCode(corner),
    currentPassword: adminPassword,
  }),
  CreateUser: () => ({ email: `${newId()}@example.com`, name: "New" }),
  UpdateUser: async () => ({ id: await somebody(), name: "renamed" }),
  ResetPassword: async () => ({ id: await somebody() }),
  ResetSecondFactor: async () => ({ id: await somebody() }),
  AllowProviderLink: async () => ({ id: await somebody() }),
  TestIssuer: () => ({ issuer: "http://127.0.0.1:9" }),
  UpdateAuthenticationSettings: () => ({ settings: { groupsClaim: "groups" } }),
  DeleteUser: async () => ({ id: await somebody() }),
  CreateTeam: () => ({ name: "New" }),
  UpdateTeam: () => ({ name: "renamed" }),
  DeleteTeam: async () => ({ id: await emptyTeam() }),
  AddMember: async () => ({ email: await emailOf(await somebody()), role: Role.VIEWER }),
  UpdateMember: async ({ things }) => ({
    userId: await member(things["team"] ?? ""),
    role: Role.ADMIN,
  }),
  RemoveMember: async ({ things }) => ({ userId: await member(things["team"] ?? "") }),
  CreateApiToken: () => ({ name: "t", role: Role.VIEWER }),
  RevokeApiToken: async ({ things }) => ({
    id: await one(`select "id" from "ApiToken" where "teamId" = $1`, things["team"]),
  }),
  RevokeSession: async ({ tokens }) => ({
    id: await one(
      `select "id" from "Session" where "tokenHash" = $1`,
      hashToken(tokens.superAdmin ?? ""),
    ),
  }),
};

const one = async (sql: string, value?: string): Promise<string> =>
  (await pool.query<{ id: string }>(sql, value === undefined ? [] : [value])).rows[0]?.id ?? "";
const somebody = async (): Promise<string> => {
  await makeCorner(pool);
  return one(`select "id" from "User" where not "isSuperAdmin" order by "createdAt" desc limit 1`);
};
const emailOf = (id: string): Promise<string> =>
  one(`select "email" as id from "User" where "id" = $1`, id);
const emptyTeam = async (): Promise<string> => {
  const id = newId();
  await pool.query(`insert into "Team" ("id", "name") values ($1, 'Empty')`, [id]);
  return id;
};
const member = (team: string): Promise<string> =>
  one(`select "userId" as id from "TeamMember" where "teamId" = $1 and "role" = 'VIEWER'`, team);

const withPassword = `sources: {in: {type: demo_logs, format: json}}
sinks:
  out:
    type: http
    inputs: [in]
    uri: https://example.com
    encoding: {codec: json}
    auth: {strategy: basic, user: me, password: hunter2-secret}
`;

async function draft(
  { things, tokens }: Corner,
  yaml = demoYaml,
): Promise<{ id: string; revision: string }> {
  const { pipeline } = await server
    .client(PipelineService, tokens.superAdmin)
    .createPipeline({ environmentId: things["environment"] ?? "", name: newId(), yaml });
  return { id: pipeline?.summary?.id ?? "", revision: pipeline?.revision ?? "" };
}

async function otherEnvironment({ things }: Corner): Promise<string> {
  const id = newId();
  await pool.query(`insert into "Environment" ("id", "name", "teamId") values ($1, $1, $2)`, [
    id,
    things["team"],
  ]);
  return id;
}

async function deployed(corner: Corner): Promise<{ id: string }> {
  const { id } = await draft(corner);
  await server.client(PipelineService, corner.tokens.superAdmin).deployPipeline({ id });
  return { id };
}

async function secretIn({ things, tokens }: Corner): Promise<string> {
  const { secret } = await server
    .client(SecretService, tokens.superAdmin)
    .createSecret({ environmentId: things["environment"] ?? "", name: "s", value: "the value" });
  return secret?.id ?? "";
}

async function variableIn({ things, tokens }: Corner): Promise<string> {
  const { variable } = await server
    .client(VariableService, tokens.superAdmin)
    .createVariable({ environmentId: things["environment"] ?? "", name: "site", value: "fra" });
  return variable?.id ?? "";
}

const templateFields = { name: "t", yaml: demoYaml };

async function templateOf({
  things,
  tokens,
}: Corner): Promise<{ readonly id: string; readonly etag: string }> {
  const { template } = await server
    .client(TemplateService, tokens.superAdmin)
    .createTemplate({ ...templateFields, pipelineId: things["pipeline"] ?? "" });
  return { id: template?.id ?? "", etag: template?.etag ?? "" };
}

const snippetFields = { name: "s", code: ".a = 1" };

async function snippetOf({
  things,
  tokens,
}: Corner): Promise<{ readonly id: string; readonly etag: string }> {
  const { snippet } = await server
    .client(SnippetService, tokens.superAdmin)
    .createSnippet({ ...snippetFields, teamId: things["team"] ?? "" });
  return { id: snippet?.id ?? "", etag: snippet?.etag ?? "" };
}

/** One that does not answer: this host's own addresses may not be called. */
async function otherBackend({ things, tokens }: Corner) {
  const { etag } = await server
    .client(SecretBackendService, tokens.superAdmin)
    .getSecretBackend({ environmentId: things["environment"] ?? "" });
  const vault = { address: "http://127.0.0.1:9", auth: VaultAuth.TOKEN };
  return { etag, settings: { backend: SecretBackend.VAULT, vault }, credential: "hvs.x" };
}

const aCertificate = {
  name: "corp-ca",
  filename: "ca.pem",
  type: CertificateType.CA,
  content: certificatePem,
};

async function certificateIn({ things, tokens }: Corner): Promise<string> {
  const { certificate } = await server
    .client(CertificateService, tokens.superAdmin)
    .createCertificate({ environmentId: things["environment"] ?? "", ...aCertificate });
  return certificate?.id ?? "";
}

const testedYaml = `${demoYaml}transforms:
  t: {type: remap, inputs: [in], source: .a = 1}
tests:
  - name: t
    inputs: [{insert_at: t, value: x}]
    outputs: [{extract_from: t}]
`;

const onHost = () => ({ pipelineId: host.pipelineId, nodeId: host.nodeId });

/** Opens a terminal that stays open until the tests end. */
async function terminalOf({ tokens }: Corner): Promise<string> {
  const stream = server
    .client(InspectionService, tokens.superAdmin)
    .openTerminal(onHost(), { signal: left.signal });
  const first = await stream[Symbol.asyncIterator]().next();
  return first.value?.terminalId ?? "";
}

/** Gives the super admin of the corner the password of the first one. */
async function withOwnPassword({ tokens }: Corner): Promise<{ currentPassword: string }> {
  await pool.query(
    `update "User" set "passwordHash" =
       (select "passwordHash" from "User" where "email" = 'admin@example.com')
     where "id" = (select "userId" from "Session" where "tokenHash" = $1)`,
    [hashToken(tokens.superAdmin ?? "")],
  );
  return { currentPassword: adminPassword };
}

async function firstCode(corner: Corner): Promise<string> {
  const { secret } = await server
    .client(ProfileService, corner.tokens.superAdmin)
    .beginSecondFactor(await withOwnPassword(corner));
  return totpCode(secret, new Date());
}

async function backupCode(corner: Corner): Promise<string> {
  const code = await firstCode(corner);
  const { backupCodes } = await server
    .client(ProfileService, corner.tokens.superAdmin)
    .confirmSecondFactor({ code });
  return backupCodes[0] ?? "";
}

/** Rows of other things that a method changes in the same transaction, before its own. */
const alsoWritten: Readonly<Record<string, readonly string[]>> = {
  MoveValueToSecret: ["secret.created"],
};

describe("what is written into the audit (X8)", () => {
  test.each(changes)("$name works, and writes one row of its action", async ({ method }) => {
    const corner = await makeCorner(pool);
    const { $typeName: _, ...fields } = requestFor(method, corner.things);
    const request = create(method.input, {
      ...fields,
      ...(await filled[method.name]?.(corner)),
    });
    const last = async (): Promise<number> =>
      Number(await one(`select coalesce(max("sequence"), 0)::text as id from "AuditLog"`));
    const before = await last();
    const { reason } = await call(server, method, request, corner.tokens.superAdmin);
    const { rows } = await pool.query<{ action: string }>(
      `select "action" from "AuditLog" where "sequence" > $1 order by "sequence"`,
      [before],
    );
    const actions = rows.map(({ action }) => action);
    expect({ reason, actions }).toEqual({
      reason: "answered",
      actions: [...(alsoWritten[method.name] ?? []), getOption(method, audit)],
    });
  });
});
