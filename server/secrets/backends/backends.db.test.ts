import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { DeliveryService } from "#gen/vectorflow/v1/delivery_service_pb.ts";
import { SelectorOperator } from "#gen/vectorflow/v1/delivery_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import {
  SecretBackend,
  SecretBackendFailure,
  VaultAuth,
  type SecretBackendSettings,
} from "#gen/vectorflow/v1/secret_backend_pb.ts";
import { SecretBackendService } from "#gen/vectorflow/v1/secret_backend_service_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";
import { silentLogger } from "#common/logger.ts";
import { newId } from "../../db/columns.ts";
import type { Scope } from "../../scope.ts";
import { startServer } from "../../server.ts";
import { eventually } from "../../testing/eventually.ts";
import { FakeAgent } from "../../testing/fake-agent.ts";
import { FakeSecretsManager } from "../../testing/fake-secrets-manager.ts";
import { FakeVault } from "../../testing/fake-vault.ts";
import { newMemberToken } from "../../testing/new-member.ts";
import { openSql, type Sql } from "../../testing/seed.ts";
import { setUp, startTestServer, type TestServer } from "../../testing/test-server.ts";
import { SecretPoller } from "./poller.ts";

type Settings = Partial<Omit<SecretBackendSettings, "$typeName" | "vault" | "aws" | "exec">> & {
  vault?: object;
  aws?: object;
  exec?: object;
};

let server: TestServer;
let admin: Awaited<ReturnType<typeof setUp>>;
let vault: FakeVault;
let sql: Sql;
let folder: string;
let readByLeader: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vectorflow-backends-"));
  const script = join(folder, "read.sh");
  await writeFile(
    script,
    `cat > /dev/null; echo '{"db": {"value": "from a command", "error": null}}'`,
  );
  server = await startTestServer(inject("templateUrl"), {
    VECTORFLOW_SECRET_NETWORKS: "127.0.0.1",
    VECTORFLOW_SECRET_COMMANDS: JSON.stringify({ reader: ["/bin/sh", script] }),
  });
  admin = await setUp(server);
  vault = await FakeVault.start();
  sql = await openSql(server.databaseUrl);
  readByLeader = (await begin()).environmentId;
});

afterAll(async () => {
  await sql[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const refusal = (error: unknown) => {
  const { code, rawMessage } = ConnectError.from(error);
  return { code, message: rawMessage };
};

const yaml = (name: string) => `sources:
  in: {type: demo_logs, format: json}
sinks:
  out:
    type: http
    inputs: [in]
    uri: https://example.com
    encoding: {codec: json}
    auth: {strategy: basic, user: me, password: "SECRET[${name}]"}
`;

/** An environment of its own, which keeps its secrets in the Vault unless other settings are given. */
async function begin(settings?: Settings, credential?: string) {
  const environments = server.client(EnvironmentService, admin.token);
  const { environment } = await environments.createEnvironment({
    teamId: admin.teamId,
    name: newId(),
  });
  const environmentId = environment?.id ?? "";
  const backends = server.client(SecretBackendService, admin.token);
  const set = async (next: Settings, secret: string) => {
    const { etag } = await backends.getSecretBackend({ environmentId });
    return backends.updateSecretBackend({
      environmentId,
      etag,
      settings: next as never,
      credential: secret,
    });
  };
  await set(settings ?? inVault(), credential ?? vault.issue(undefined));
  const pipelines = server.client(PipelineService, admin.token);
  const secrets = server.client(SecretService, admin.token);
  return {
    environmentId,
    backends,
    pipelines,
    secrets,
    set,
    poll: () => poll(environmentId),
    pipeline: async (secret: string) => {
      const name = newId();
      const created = await pipelines.createPipeline({ environmentId, name, yaml: yaml(secret) });
      return created.pipeline?.summary?.id ?? "";
    },
    agent: async (name: string) => {
      const { token } = await environments.createEnrollmentToken({ environmentId });
      const agent = new FakeAgent(server.server.agentUrl, name);
      await agent.enroll(token);
      await agent.connect();
      return agent;
    },
  };
}

const inVault = (more: object = {}): Settings => ({
  backend: SecretBackend.VAULT,
  vault: { address: vault.address, auth: VaultAuth.TOKEN, ...more },
});

/** What the replica that leads does, now. */
async function poll(environmentId: string): Promise<void> {
  const { deps } = server.server;
  const newScope = (): Scope => ({
    em: deps.orm.em.fork(),
    actor: { kind: "system" },
    clock: deps.clock,
    log: deps.log,
    signal: deps.signal,
  });
  expect(await new SecretPoller(deps).tick(newScope)).toContain(environmentId);
}

const valueOf = (agent: FakeAgent, name: string): string | undefined => {
  const body = agent.desired.flatMap(({ bodies }) => bodies).at(-1);
  const value = body?.secrets[name];
  return value === undefined ? undefined : new TextDecoder().decode(value);
};

const bodyCount = (agent: FakeAgent): number =>
  agent.desired.flatMap(({ bodies }) => bodies).length;

describe("secrets in Vault", () => {
  test("are names with a reference, and reach hosts; what changes there reaches those that use it (P4)", async () => {
    const { environmentId, secrets, pipelines, pipeline, agent, poll } = await begin();
    vault.put("apps/rotating", { password: "one", other: "same" });
    const { secret } = await secrets.createSecret({
      environmentId,
      name: "db",
      reference: { path: "/apps/rotating", key: "password" },
    });
    expect(secret).toMatchObject({ reference: { path: "apps/rotating" }, failure: 0 });
    expect(secret?.readTime).toBeDefined();
    await secrets.createSecret({
      environmentId,
      name: "other",
      reference: { path: "apps/rotating", key: "other" },
    });
    const [first, second] = [await pipeline("db"), await pipeline("other")];
    await using uses = await agent("uses");
    await using others = await agent("others");
    const { nodes } = await server.client(NodeService, admin.token).listNodes({ environmentId });
    for (const node of nodes) {
      const site = node.name.startsWith("uses") ? "a" : "b";
      await server
        .client(NodeService, admin.token)
        .updateNode({ id: node.id, labels: { labels: { site } } });
    }
    const delivery = server.client(DeliveryService, admin.token);
    for (const [pipelineId, site] of [
      [first, "a"],
      [second, "b"],
    ] as const) {
      const { etag } = await delivery.getDelivery({ pipelineId });
      const term = { key: "site", operator: SelectorOperator.EQUALS, values: [site] };
      await delivery.setSelector({ pipelineId, etag, selector: { terms: [term] } });
      await pipelines.deployPipeline({ id: pipelineId });
    }
    await eventually(() => expect(valueOf(uses, "db")).toBe("one"));
    await eventually(() => expect(valueOf(others, "other")).toBe("same"));
    const before = bodyCount(others);

    vault.put("apps/rotating", { password: "two", other: "same" });
    await poll();
    await eventually(() => expect(valueOf(uses, "db")).toBe("two"));
    expect(bodyCount(others)).toBe(before);
    const rows = await sql.query<{ metadata: unknown }>(
      `select "metadata" from "AuditLog" where "action" = 'secret.rotated' and "environmentId" = $1`,
      [environmentId],
    );
    expect(rows).toMatchObject([{ metadata: { changed: ["db"] } }]);
    expect(JSON.stringify(rows)).not.toContain("two");
    // Nothing new: nothing is written, and nobody gets anything.
    await poll();
    const set = await sql.query<{ at: Date }>(
      `select "updatedAt" as at from "Secret" where "name" = 'other' and "environmentId" = $1 and "updatedAt" < "readAt"`,
      [environmentId],
    );
    expect(set).toHaveLength(1);
    expect(bodyCount(uses)).toBe(2);
  });

  test("stay with their last good value in an outage, through a restart of the server (P2)", async () => {
    await using away = await FakeVault.start();
    const token = away.issue(undefined);
    const world = await begin(inVault({ address: away.address }), token);
    const { environmentId, secrets, pipelines, backends } = world;
    away.put("apps/web", { password: "last good" });
    const reference = { path: "apps/web", key: "password" };
    await secrets.createSecret({ environmentId, name: "known", reference });
    const known = await world.pipeline("known");
    await using agent = await world.agent("host");
    await pipelines.deployPipeline({ id: known });
    await eventually(() => expect(valueOf(agent, "known")).toBe("last good"));
    const given = bodyCount(agent);

    away.sealed = true;
    await world.poll();
    const failed = await secrets.listSecrets({ environmentId });
    expect(failed.backend).toMatchObject({ failure: SecretBackendFailure.UNAVAILABLE });
    expect(failed.backend?.failingSinceTime).toBeDefined();
    expect(failed.secrets[0]?.readTime).toBeDefined();
    expect(await backends.getSecretBackend({ environmentId })).toMatchObject({
      failureMessage: "Vault is sealed",
    });
    // Named, but never read: refused by its name, before and at the deploy.
    const made = await secrets.createSecret({ environmentId, name: "never", reference });
    expect(made.secret).toMatchObject({ failure: SecretBackendFailure.UNAVAILABLE });
    expect(made.secret?.readTime).toBeUndefined();
    const never = await world.pipeline("never");
    expect(await pipelines.deployPipeline({ id: never }).catch(refusal)).toEqual({
      code: Code.InvalidArgument,
      message: "out: the secret never was never read from its backend",
    });
    // What is deployed can be deployed again, by the value that is kept.
    await pipelines.deployPipeline({ id: known });
    await eventually(() => expect(agent.held.get(known)?.version).toBe(2));
    // It is the same content: the host keeps what it has.
    expect(bodyCount(agent)).toBe(given);

    // Another process over the same database, which has never seen this backend.
    const { config } = server.server.deps;
    await using replica = await startServer(
      {
        ...config,
        http: { ...config.http, port: 0 },
        agent: { ...config.agent, port: 0 },
      },
      silentLogger,
    );
    const environments = server.client(EnvironmentService, admin.token);
    const enrollment = await environments.createEnrollmentToken({ environmentId });
    await using late = new FakeAgent(replica.agentUrl, "late");
    await late.enroll(enrollment.token);
    await late.connect();
    await eventually(() => expect(valueOf(late, "known")).toBe("last good"));
    const transport = createConnectTransport({ baseUrl: replica.webUrl, httpVersion: "1.1" });
    const headers = { headers: { authorization: `Bearer ${admin.token}` } };
    const seen = await createClient(SecretService, transport).listSecrets(
      { environmentId },
      headers,
    );
    expect(seen.backend?.failingSinceTime).toEqual(failed.backend?.failingSinceTime);

    away.sealed = false;
    expect(await backends.refreshSecrets({ environmentId })).toMatchObject({
      readCount: 2,
      failedCount: 0,
      changedNames: [],
    });
    await pipelines.deployPipeline({ id: never });
    const well = await secrets.listSecrets({ environmentId });
    expect(well.backend).toMatchObject({ failure: 0 });
    expect(well.backend?.failingSinceTime).toBeUndefined();
    expect(well.secrets.map(({ failure }) => failure)).toEqual([0, 0]);
  });

  test("are no values, and another reference is taken only when it can be read", async () => {
    const { environmentId, secrets } = await begin();
    vault.put("apps/a", { password: "of a" });
    const made = await secrets.createSecret({
      environmentId,
      name: "db",
      reference: { path: "apps/a", key: "password" },
    });
    const id = made.secret?.id ?? "";
    const value = { environmentId, name: "v", value: "x" };
    const both = { ...value, reference: { path: "apps/a", key: "password" } };
    const missing = { path: "apps/none", key: "password" };
    const outcomes = [
      await secrets.createSecret(value).catch(refusal),
      await secrets.updateSecret({ environmentId, id, value: "x" }).catch(refusal),
      await secrets.createSecret(both).catch(refusal),
      await secrets.updateSecret({ environmentId, id, reference: missing }).catch(refusal),
      await secrets
        .createSecret({ environmentId, name: "v", reference: { path: "../sys", key: "k" } })
        .catch(refusal),
      // Where values are kept here, a reference leads nowhere.
      await secrets
        .createSecret({ ...both, value: "", environmentId: admin.environmentId })
        .catch(refusal),
    ];
    expect(outcomes.map((outcome) => ("code" in outcome ? outcome.code : "taken"))).toEqual([
      Code.FailedPrecondition,
      Code.FailedPrecondition,
      Code.InvalidArgument,
      Code.FailedPrecondition,
      Code.InvalidArgument,
      Code.InvalidArgument,
    ]);
    expect(outcomes[3]).toMatchObject({
      message: "nothing was changed: there is no apps/none in secret",
    });
    expect(await secrets.revealSecret({ environmentId, id })).toMatchObject({ value: "of a" });
    vault.put("apps/b", { password: "of b" });
    const reference = { path: "apps/b", key: "password", version: "1" };
    expect(await secrets.updateSecret({ environmentId, id, reference })).toMatchObject({
      changed: true,
      secret: { reference },
    });
    expect(await secrets.revealSecret({ environmentId, id })).toMatchObject({ value: "of b" });
    // It is pinned: a newer version changes nothing.
    vault.put("apps/b", { password: "newer" });
    await poll(environmentId);
    expect(await secrets.revealSecret({ environmentId, id })).toMatchObject({ value: "of b" });
  });

  test("go on with what hosts have when the environment keeps values itself again", async () => {
    const { environmentId, secrets, set, pipeline, pipelines, agent, backends } = await begin();
    vault.put("apps/back", { password: "from vault" });
    const made = await secrets.createSecret({
      environmentId,
      name: "db",
      reference: { path: "apps/back", key: "password" },
    });
    const id = await pipeline("db");
    await using host = await agent("host");
    await pipelines.deployPipeline({ id });
    await eventually(() => expect(valueOf(host, "db")).toBe("from vault"));
    await set({ backend: SecretBackend.BUILTIN }, "");
    expect(await backends.getSecretBackend({ environmentId })).toMatchObject({
      hasCredential: false,
    });
    expect((await secrets.listSecrets({ environmentId })).secrets).toMatchObject([
      { failure: SecretBackendFailure.SETTINGS },
    ]);
    await pipelines.deployPipeline({ id });
    const updated = await secrets.updateSecret({
      environmentId,
      id: made.secret?.id ?? "",
      value: "kept here",
    });
    expect(updated.secret?.reference).toBeUndefined();
    await eventually(() => expect(valueOf(host, "db")).toBe("kept here"));
  });
});

describe("the settings of a backend", () => {
  test("are for admins, and the credential goes in only (X3, X4)", async () => {
    const token = vault.issue(undefined);
    const { environmentId, backends } = await begin(inVault(), token);
    const read = await backends.getSecretBackend({ environmentId });
    expect(read).toMatchObject({ hasCredential: true, settings: { vault: { mount: "secret" } } });
    const rows = await sql.query<{ row: string }>(
      `select row_to_json(e)::text as row from "Environment" e where "id" = $1
       union all select row_to_json(a)::text from "AuditLog" a where "environmentId" = $1`,
      [environmentId],
    );
    expect(
      JSON.stringify([read, rows], (_, value: unknown) => (typeof value === "bigint" ? "" : value)),
    ).not.toContain(token);
    for (const role of ["VIEWER", "EDITOR"] as const) {
      const other = await newMemberToken(server, admin.teamId, role);
      const client = server.client(SecretBackendService, other);
      const outcomes = await Promise.all([
        client.getSecretBackend({ environmentId }).catch(refusal),
        client.updateSecretBackend({ environmentId }).catch(refusal),
        client.testSecretBackend({ environmentId }).catch(refusal),
      ]);
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ code: Code.PermissionDenied });
      }
    }
  });

  test("send a credential that is kept to no other address, and refuse the second of two editors (S19, S18)", async () => {
    await using evil = await FakeVault.start();
    const { environmentId, backends } = await begin();
    const { etag } = await backends.getSecretBackend({ environmentId });
    const elsewhere = { environmentId, settings: inVault({ address: evil.address }) as never };
    for (const outcome of [
      await backends.testSecretBackend(elsewhere).catch(refusal),
      await backends.updateSecretBackend({ ...elsewhere, etag }).catch(refusal),
    ]) {
      expect(outcome).toMatchObject({
        code: Code.InvalidArgument,
        message: expect.stringContaining("credential is required again") as string,
      });
    }
    expect(evil.asked).toEqual([]);
    const same = { environmentId, settings: { ...inVault(), refreshSeconds: 60 } as never };
    await backends.updateSecretBackend({ ...same, etag });
    expect(await backends.updateSecretBackend({ ...same, etag }).catch(refusal)).toMatchObject({
      code: Code.Aborted,
    });
    expect((await backends.getSecretBackend({ environmentId })).hasCredential).toBe(true);
  });

  test.each([
    [
      "works",
      {},
      undefined,
      "right",
      SecretBackendFailure.UNSPECIFIED,
      /^Vault accepts the sign-in/,
    ],
    ["reads", {}, "test/ok", "right", SecretBackendFailure.UNSPECIFIED, /the secret can be read$/],
    [
      "no address",
      { address: "https://name.invalid" },
      undefined,
      "right",
      SecretBackendFailure.ADDRESS,
      /does not answer/,
    ],
    [
      "other network",
      { address: "https://192.0.2.1" },
      undefined,
      "right",
      SecretBackendFailure.ADDRESS,
      /does not answer/,
    ],
    [
      "no sign-in",
      {},
      undefined,
      "wrong",
      SecretBackendFailure.SIGN_IN,
      /does not accept the token/,
    ],
    [
      "no permission",
      {},
      "other/path",
      "right",
      SecretBackendFailure.PERMISSION,
      /may not read other\/path/,
    ],
    ["no path", {}, "test/none", "right", SecretBackendFailure.PATH, /there is no test\/none/],
  ] as const)("tell how far a test came: %s", async (_, more, path, which, failure, text) => {
    vault.put("test/ok", { password: "never shown" });
    const { environmentId, backends } = await begin();
    const token = which === "right" ? vault.issue(undefined, /^test\//) : "hvs.wrong";
    const answer = await backends.testSecretBackend({
      environmentId,
      settings: inVault(more) as never,
      credential: token,
      ...(path !== undefined && { reference: { path, key: "password" } }),
    });
    expect(answer).toMatchObject({ works: failure === 0, failure });
    expect(answer.message).toMatch(text);
    expect(answer.message).not.toMatch(/never shown|127\.0\.0\.1|:\d{4}|\bE[A-Z]{5,}\b/);
  });
});

test("secrets come from AWS Secrets Manager and from a command as well", async () => {
  await using aws = await FakeSecretsManager.start();
  aws.accessKeyIds.add("AKIAEXAMPLE000000000");
  aws.put("prod/db", '{"password":"from aws"}');
  const inAws = {
    backend: SecretBackend.AWS_SM,
    aws: { region: "eu-central-1", endpoint: aws.address, accessKeyId: "AKIAEXAMPLE000000000" },
  };
  const first = await begin(inAws, "a-secret-access-key");
  const { secret } = await first.secrets.createSecret({
    environmentId: first.environmentId,
    name: "db",
    reference: { path: "prod/db", key: "password" },
  });
  const own = { environmentId: first.environmentId, id: secret?.id ?? "" };
  expect(await first.secrets.revealSecret(own)).toMatchObject({ value: "from aws" });
  aws.put("prod/db", '{"password":"rotated"}');
  await first.poll();
  expect(await first.secrets.revealSecret(own)).toMatchObject({ value: "rotated" });

  const second = await begin({ backend: SecretBackend.EXEC, exec: { command: "reader" } }, "");
  const { environmentId } = second;
  expect((await second.backends.getSecretBackend({ environmentId })).commands).toEqual(["reader"]);
  const made = await second.secrets.createSecret({
    environmentId,
    name: "db",
    reference: { path: "db" },
  });
  const there = { environmentId, id: made.secret?.id ?? "" };
  expect(await second.secrets.revealSecret(there)).toMatchObject({ value: "from a command" });
  const unknown = await second.secrets.createSecret({
    environmentId,
    name: "none",
    reference: { path: "none" },
  });
  expect(unknown.secret).toMatchObject({ failure: SecretBackendFailure.PATH });
});

test("the replica that leads reads them by itself, and says so when its credential is lost", async () => {
  const backends = server.client(SecretBackendService, admin.token);
  const health = async () => {
    const read = await backends.getSecretBackend({ environmentId: readByLeader });
    return { message: read.failureMessage, checked: read.health?.checkTime !== undefined };
  };
  await eventually(async () => {
    expect(await health()).toEqual({ message: "", checked: true });
  });
  await sql.query(
    `update "Environment" set "secretBackendCredential" = 'v1.lost.xxxx' where "id" = $1`,
    [readByLeader],
  );
  await poll(readByLeader);
  expect((await health()).message).toMatch(/cannot be read any more: give it again/);
});

test("settings that somebody wrote into the database by hand fail by themselves, and can be mended", async () => {
  const { environmentId, backends, set } = await begin({ backend: SecretBackend.BUILTIN }, "");
  await sql.query(
    `update "Environment" set "secretBackend" = 'VAULT', "secretBackendConfig" = null where "id" = $1`,
    [environmentId],
  );
  expect(await backends.refreshSecrets({ environmentId })).toMatchObject({ failedCount: 0 });
  const read = await backends.getSecretBackend({ environmentId });
  expect(read).toMatchObject({
    failureMessage: "its settings are not usable, or not allowed on this server any more",
    settings: { vault: { address: "", mount: "secret" } },
  });
  await set(inVault(), vault.issue(undefined));
  await backends.refreshSecrets({ environmentId });
  expect((await backends.getSecretBackend({ environmentId })).failureMessage).toBe("");
});
