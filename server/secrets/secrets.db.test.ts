import { generateKeyPairSync } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, inject, test } from "vitest";
import type { PipelineBody } from "#gen/vectorflow/agent/v1/desired_state_pb.ts";
import { CertificateService } from "#gen/vectorflow/v1/certificate_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { DeployStep, Severity } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { CertificateType } from "#gen/vectorflow/v1/secret_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";
import type { Logger } from "#common/logger.ts";
import { certificatePem, otherCertificatePem } from "../testing/public-pem.ts";
import { eventually } from "../testing/eventually.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";

const password = 'pa$$ "word" ünï 9f3c1';
const newPassword = "rotated-5b77e0";

const yaml = `sources:
  in:
    type: demo_logs
    format: json
sinks:
  out:
    type: http
    inputs: [in]
    uri: https://example.com/SECRET[path]
    encoding: {codec: json}
    auth:
      strategy: basic
      user: me
      password: SECRET[es_password]
    tls:
      ca_file: CERT[corp-ca]
`;

const refusal = (error: unknown) => {
  const { code, rawMessage } = ConnectError.from(error);
  return { code, message: rawMessage };
};

async function begin(server: TestServer) {
  const admin = await setUp(server);
  const { environmentId } = admin;
  const pipelines = server.client(PipelineService, admin.token);
  const secrets = server.client(SecretService, admin.token);
  const certificates = server.client(CertificateService, admin.token);
  const created = await pipelines.createPipeline({ environmentId, name: "Web", yaml });
  return {
    ...admin,
    pipelines,
    secrets,
    certificates,
    id: created.pipeline?.summary?.id ?? "",
    problems: created.pipeline?.problems ?? [],
    createAll: async () => {
      await secrets.createSecret({ environmentId, name: "path", value: "a/b" });
      const { secret } = await secrets.createSecret({
        environmentId,
        name: "es_password",
        value: password,
      });
      const { certificate } = await certificates.createCertificate({
        environmentId,
        name: "corp-ca",
        filename: "ca.pem",
        type: CertificateType.CA,
        content: certificatePem,
      });
      return { secretId: secret?.id ?? "", certificateId: certificate?.id ?? "" };
    },
  };
}

async function connected(server: TestServer, token: string): Promise<FakeAgent> {
  const agent = new FakeAgent(server.server.agentUrl, "host");
  await agent.enroll(token);
  await agent.connect();
  return agent;
}

function bodies(agent: FakeAgent): readonly PipelineBody[] {
  return agent.desired.flatMap((state) => state.bodies);
}

const textOf = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

describe("secrets and certificates", () => {
  test("a deploy is refused by the names that are missing, and hosts get the values once they exist", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, problems, id, enrollmentToken, createAll } = await begin(server);
    expect(problems.map(({ field, message }) => `${field}: ${message}`).toSorted()).toEqual([
      "auth.password: there is no secret named es_password in this environment",
      "tls.ca_file: there is no certificate named corp-ca in this environment",
      "uri: there is no secret named path in this environment",
    ]);
    const refused = await pipelines.deployPipeline({ id }).catch(refusal);
    expect(refused).toMatchObject({ code: Code.InvalidArgument });
    await createAll();
    await using agent = await connected(server, enrollmentToken);
    await pipelines.deployPipeline({ id });
    await eventually(() => expect(bodies(agent)).toHaveLength(1));
    const [body] = bodies(agent);
    expect(body?.configYaml).toContain("password: SECRET[es_password]");
    expect(textOf(body?.secrets["es_password"])).toBe(password);
    expect(textOf(body?.secrets["path"])).toBe("a/b");
    expect(body?.certificates).toMatchObject([{ name: "corp-ca", filename: "ca.pem" }]);
    expect(textOf(body?.certificates[0]?.content)).toBe(certificatePem);
    await eventually(async () => {
      const { nodes } = await pipelines.getPipeline({ id });
      expect(nodes).toMatchObject([{ step: DeployStep.HEALTHY, notice: "" }]);
    });
  });

  test("a changed value alone is pushed at once, and the same value again is not (P4)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, secrets, certificates, id, environmentId, enrollmentToken, createAll } =
      await begin(server);
    const { secretId, certificateId } = await createAll();
    await using agent = await connected(server, enrollmentToken);
    await pipelines.deployPipeline({ id });
    await eventually(() => expect(bodies(agent)).toHaveLength(1));
    const same = await secrets.updateSecret({ environmentId, id: secretId, value: password });
    expect(same).toMatchObject({ changed: false, pipelineNames: [] });
    const changed = await secrets.updateSecret({ environmentId, id: secretId, value: newPassword });
    expect(changed).toMatchObject({ changed: true, pipelineNames: ["Web"] });
    await eventually(() => expect(bodies(agent)).toHaveLength(2));
    expect(textOf(bodies(agent)[1]?.secrets["es_password"])).toBe(newPassword);
    await certificates.updateCertificate({
      environmentId,
      id: certificateId,
      content: otherCertificatePem,
    });
    await eventually(() => expect(bodies(agent)).toHaveLength(3));
    expect(textOf(bodies(agent)[2]?.certificates[0]?.content)).toBe(otherCertificatePem);
    // Applied is what the newest values are, not the version alone.
    await eventually(async () => {
      const { nodes } = await pipelines.getPipeline({ id });
      expect(nodes).toMatchObject([{ step: DeployStep.HEALTHY, effectiveVersion: 1 }]);
    });
    // A secret that nobody uses concerns no host.
    const states = agent.desired.length;
    await secrets.createSecret({ environmentId, name: "unused", value: "x" });
    await pipelines.deployPipeline({ id });
    await eventually(() => expect(agent.held.get(id)?.version).toBe(2));
    expect(agent.desired.length).toBe(states + 1);
    expect(bodies(agent)).toHaveLength(3);
  });

  test("a host that has not taken the new value yet does not count as current", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, secrets, id, environmentId, enrollmentToken, createAll } =
      await begin(server);
    const { secretId } = await createAll();
    await using agent = await connected(server, enrollmentToken);
    await pipelines.deployPipeline({ id });
    await eventually(async () => {
      const { nodes } = await pipelines.getPipeline({ id });
      expect(nodes).toMatchObject([{ step: DeployStep.HEALTHY }]);
    });
    agent.drop();
    await agent.ended;
    await secrets.updateSecret({ environmentId, id: secretId, value: newPassword });
    const { nodes } = await pipelines.getPipeline({ id });
    expect(nodes).toMatchObject([{ step: DeployStep.WAITING, desiredVersion: 1 }]);
  });

  test("what is missing comes with the first page, and is looked for on all of them (S11)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { secrets, environmentId } = await begin(server);
    for (const name of ["path", "also"]) {
      await secrets.createSecret({ environmentId, name, value: "a/b" });
    }
    const first = await secrets.listSecrets({ environmentId, pageSize: 1 });
    expect(first.secrets).toMatchObject([{ name: "also" }]);
    expect(first.missing).toMatchObject([{ name: "es_password" }]);
    const pageToken = first.nextPageToken;
    const second = await secrets.listSecrets({ environmentId, pageSize: 1, pageToken });
    expect(second).toMatchObject({ secrets: [{ name: "path" }], missing: [], nextPageToken: "" });
  });

  test("one that is deployed is deleted only when that is confirmed; what runs stays, and says why (P2)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, secrets, id, environmentId, enrollmentToken, createAll } =
      await begin(server);
    const { secretId } = await createAll();
    await using agent = await connected(server, enrollmentToken);
    await pipelines.deployPipeline({ id });
    await eventually(() => expect(agent.held.has(id)).toBe(true));
    const hash = agent.held.get(id)?.hash;
    const refused = await secrets.deleteSecret({ environmentId, id: secretId }).catch(refusal);
    expect(refused).toEqual({
      code: Code.FailedPrecondition,
      message: "deployed pipelines use the secret es_password: Web",
    });
    await secrets.deleteSecret({ environmentId, id: secretId, confirmInUse: true });
    const { missing } = await secrets.listSecrets({ environmentId });
    expect(missing).toMatchObject([
      { name: "es_password", uses: [{ pipelineName: "Web", draft: true, deployed: true }] },
    ]);
    const { nodes, pipeline } = await pipelines.getPipeline({ id });
    expect(nodes[0]?.notice).toBe(
      "the secret es_password does not exist in this environment: what runs is kept",
    );
    expect(pipeline?.problems).toMatchObject([{ severity: Severity.ERROR }]);
    expect(await pipelines.deployPipeline({ id }).catch(refusal)).toMatchObject({
      code: Code.InvalidArgument,
    });
    // A host that comes back still finds the pipeline in its manifest, by the hash that it holds.
    agent.drop();
    await agent.ended;
    const before = agent.desired.length;
    await agent.connect();
    await eventually(() => expect(agent.desired.length).toBe(before + 1));
    expect(agent.desired.at(-1)).toMatchObject({
      bodies: [],
      manifest: [{ pipelineId: id, hash }],
    });
    // Others do not stand still for it.
    await secrets.createSecret({ environmentId, name: "es_password", value: newPassword });
    await eventually(() => expect(agent.held.get(id)?.hash).not.toBe(hash));
    expect(textOf(bodies(agent).at(-1)?.secrets["es_password"])).toBe(newPassword);
    expect((await pipelines.getPipeline({ id })).nodes[0]?.notice).toBe("");
  });

  test("values are in no response, table, version, audit row or log but the audited reveal", async () => {
    const lines: string[] = [];
    const write = (event: string, fields?: object): void => {
      lines.push(`${event} ${JSON.stringify(fields, (_key, value: unknown) => String(value))}`);
    };
    const log: Logger = { debug: write, info: write, warn: write, error: write, child: () => log };
    await using server = await startTestServer(inject("templateUrl"), {}, log);
    const {
      pipelines,
      secrets,
      certificates,
      id,
      environmentId,
      token,
      enrollmentToken,
      createAll,
    } = await begin(server);
    const { secretId } = await createAll();
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = privateKey.export({ type: "pkcs8", format: "pem" });
    await certificates.createCertificate({
      environmentId,
      name: "client-key",
      filename: "client.key",
      type: CertificateType.KEY,
      content: key,
    });
    await using agent = await connected(server, enrollmentToken);
    await pipelines.deployPipeline({ id });
    await eventually(() => expect(bodies(agent)).toHaveLength(1));
    await secrets.updateSecret({ environmentId, id: secretId, value: newPassword });
    const answers = await Promise.all([
      pipelines.getPipeline({ id }),
      pipelines.previewPipeline({ id, yaml }),
      pipelines.getVersion({ pipelineId: id, version: 1 }),
      pipelines.listPipelines({ environmentId }),
      secrets.listSecrets({ environmentId }),
      certificates.listCertificates({ environmentId }),
      server.client(NodeService, token).listNodes({ environmentId }),
    ]);
    const { value } = await secrets.revealSecret({ environmentId, id: secretId });
    expect(value).toBe(newPassword);
    const em = server.server.deps.orm.em.fork();
    const [tables] = await em.execute<{ text: string }[]>(
      `select concat_ws(' ', (select string_agg("Secret"::text, ' ') from "Secret"),
         (select string_agg("Certificate"::text, ' ') from "Certificate"),
         (select string_agg("Pipeline"::text, ' ') from "Pipeline"),
         (select string_agg("PipelineVersion"::text, ' ') from "PipelineVersion"),
         (select string_agg("AuditLog"::text, ' ') from "AuditLog")) as "text"`,
    );
    const seen = [
      JSON.stringify(answers, (_key, item: unknown) =>
        typeof item === "bigint" ? `${item}` : item,
      ),
      tables?.text ?? "",
      ...lines,
    ].join("\n");
    expect(seen).toContain("es_password");
    const keyLine = key.split("\n")[1] ?? "";
    for (const secret of ["9f3c1", newPassword, keyLine]) expect(seen).not.toContain(secret);
    const revealed = await em.execute<{ name: string }[]>(
      `select "metadata" ->> 'name' as "name" from "AuditLog" where "action" = 'secret.revealed'`,
    );
    expect(revealed).toEqual([{ name: "es_password" }]);
  });

  test("certificates tell what they are and when they end, and no other PEM is taken for one", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { certificates, environmentId, createAll } = await begin(server);
    await createAll();
    const listed = await certificates.listCertificates({ environmentId });
    expect(listed.certificates).toMatchObject([
      {
        name: "corp-ca",
        type: CertificateType.CA,
        facts: { subject: "CN=VectorFlow test CA", certificateCount: 1 },
        uses: [{ pipelineName: "Web", draft: true, deployed: false }],
      },
    ]);
    expect(Number(listed.certificates[0]?.facts?.expireTime?.seconds)).toBeGreaterThan(2e9);
    const base = { environmentId, name: "x", filename: "x.pem" };
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = privateKey.export({ type: "pkcs8", format: "pem" });
    for (const [type, content] of [
      [CertificateType.CERT, "no pem"],
      [CertificateType.CERT, key],
      [CertificateType.CERT, certificatePem.replace(/\nMII/, "\nXXX")],
      [CertificateType.KEY, certificatePem],
      [CertificateType.KEY, key.replace(/\n[A-Za-z0-9]{8}/, "\nAAAAAAAA")],
      [CertificateType.UNSPECIFIED, certificatePem],
    ] as const) {
      const refused = await certificates
        .createCertificate({ ...base, type, content })
        .catch(refusal);
      expect(refused).toMatchObject({ code: Code.InvalidArgument });
    }
    const outside = { ...base, type: CertificateType.CA, content: certificatePem };
    const named = await certificates
      .createCertificate({ ...outside, filename: "../x.pem" })
      .catch(refusal);
    expect(named).toMatchObject({ code: Code.InvalidArgument });
  });

  test("names are unique, fit Vector's placeholders, and a mask is no value (X4)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { secrets, environmentId, teamId, token } = await begin(server);
    const create = (name: string, value = "v") =>
      secrets.createSecret({ environmentId, name, value }).catch(refusal);
    expect(await create("a.b-C_1")).toMatchObject({ secret: { name: "a.b-C_1" } });
    expect(await create("a.b-C_1")).toMatchObject({ code: Code.AlreadyExists });
    for (const name of ["", "1a", "a b", "a/b", "a]b", "ä", "__proto__", "a".repeat(129)]) {
      expect(await create(name)).toMatchObject({ code: Code.InvalidArgument });
    }
    // An id counts only in its own environment (X3).
    const other = await server
      .client(EnvironmentService, token)
      .createEnvironment({ teamId, name: "Other" });
    const [secret] = (await secrets.listSecrets({ environmentId })).secrets;
    const foreign = await secrets
      .revealSecret({ environmentId: other.environment?.id ?? "", id: secret?.id ?? "" })
      .catch(refusal);
    expect(foreign).toMatchObject({ code: Code.NotFound });
    await server.server.deps.orm.em.fork().execute(
      `insert into "Secret" ("id", "name", "encryptedValue", "environmentId")
       select 'id' || n, 'n' || n, 'x', ? from generate_series(1, 999) n`,
      [environmentId],
    );
    expect(await create("one-more")).toMatchObject({ code: Code.ResourceExhausted });
    for (const value of ["", "••••••", "[secret x]", "SECRET[a]", "x".repeat(40_000)]) {
      expect(await create("free", value)).toMatchObject({ code: Code.InvalidArgument });
    }
  });

  test("what cannot be opened with the server's secret costs its pipeline the news, and nothing else", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, id, environmentId, enrollmentToken, createAll } = await begin(server);
    const { secretId } = await createAll();
    await pipelines.deployPipeline({ id });
    const em = server.server.deps.orm.em.fork();
    await em.execute(`update "Secret" set "encryptedValue" = 'v1.other.xxxx' where "id" = ?`, [
      secretId,
    ]);
    const plain = yaml.replace(
      / {4}uri[\s\S]*/,
      "    uri: https://example.com\n    encoding: {codec: json}\n",
    );
    const other = await pipelines.createPipeline({ environmentId, name: "Plain", yaml: plain });
    const otherId = other.pipeline?.summary?.id ?? "";
    await pipelines.deployPipeline({ id: otherId });
    await using agent = await connected(server, enrollmentToken);
    await eventually(() => expect(agent.desired).toHaveLength(1));
    expect(agent.desired[0]?.manifest.map(({ pipelineId }) => pipelineId).toSorted()).toEqual(
      [id, otherId].toSorted(),
    );
    expect(bodies(agent).map(({ pipelineId }) => pipelineId)).toEqual([otherId]);
  });

  test("more than fits into one message is refused at the deploy, by its size", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, certificates, id, environmentId, createAll } = await begin(server);
    await createAll();
    const bundle = certificatePem.repeat(Math.floor(260_000 / certificatePem.length));
    const names = Array.from({ length: 11 }, (_, index) => `bundle-${index}`);
    for (const name of names) {
      const file = { environmentId, name, filename: "b.pem", type: CertificateType.CA };
      await certificates.createCertificate({ ...file, content: bundle });
    }
    const large = `${yaml}    request:\n      headers: {x-paths: "${names.map((name) => `CERT[${name}]`).join(" ")}"}\n`;
    await pipelines.updatePipeline({ id, revision: "1", yaml: large });
    const refused = await pipelines.deployPipeline({ id }).catch(refusal);
    expect(refused).toMatchObject({
      code: Code.InvalidArgument,
      message: expect.stringMatching(/at most 2500000 reach a host/),
    });
  });

  test("two that rotate and deploy at once leave hosts with the newest of both", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { pipelines, secrets, id, environmentId, enrollmentToken, createAll } =
      await begin(server);
    const { secretId } = await createAll();
    await using agent = await connected(server, enrollmentToken);
    const values = Array.from({ length: 8 }, (_, index) => `value-${index}`);
    await Promise.all([
      ...values.map((value) => secrets.updateSecret({ environmentId, id: secretId, value })),
      ...values.map(() => pipelines.deployPipeline({ id })),
    ]);
    const { value } = await secrets.revealSecret({ environmentId, id: secretId });
    await eventually(() => expect(agent.held.get(id)?.version).toBe(8));
    await eventually(() => {
      const held = bodies(agent).findLast(({ hash }) => hash === agent.held.get(id)?.hash);
      expect(textOf(held?.secrets["es_password"])).toBe(value);
    });
  });
});
