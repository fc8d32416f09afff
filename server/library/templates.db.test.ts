import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { parse } from "yaml";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";
import { TemplateParameterType } from "#gen/vectorflow/v1/template_pb.ts";
import { TemplateService } from "#gen/vectorflow/v1/template_service_pb.ts";
import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";
import { newId } from "../db/columns.ts";
import { newMemberToken } from "../testing/new-member.ts";
import { openSql, type Sql } from "../testing/seed.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";
import { builtInTemplates } from "./built-in-templates.ts";

let server: TestServer;
let admin: Awaited<ReturnType<typeof setUp>>;
let sql: Sql;

beforeAll(async () => {
  server = await startTestServer(inject("templateUrl"));
  admin = await setUp(server);
  sql = await openSql(server.databaseUrl);
});
afterAll(async () => {
  await sql[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const refusal = (error: unknown) => {
  const { code, rawMessage } = ConnectError.from(error);
  return { code, message: rawMessage };
};

const yaml = (host: string, size: string, password = "SECRET[pw]") => `# Kept.
sources:
  in: {type: demo_logs, format: json}
sinks:
  out:
    type: http
    inputs: [in]
    uri: https://${host}/in   # where to
    encoding: {codec: json}
    batch:
      max_events: ${size}
    auth: {strategy: basic, user: me, password: "${password}"}
`;

const parameters = [
  { name: "host", type: TemplateParameterType.TEXT, required: true },
  { name: "size", type: TemplateParameterType.NUMBER, default: "100" },
  { name: "pw", type: TemplateParameterType.SECRET, default: "out_password" },
];
const templated = yaml("PARAM[host]", '"PARAM[size]"', "PARAM[pw]");

async function begin() {
  const { teamId } = admin;
  const environments = server.client(EnvironmentService, admin.token);
  const { environment } = await environments.createEnvironment({ teamId, name: newId() });
  const environmentId = environment?.id ?? "";
  const pipelines = server.client(PipelineService, admin.token);
  const { pipeline } = await pipelines.createPipeline({
    environmentId,
    name: "Origin",
    yaml: yaml("logs.example.com", "5"),
  });
  return {
    teamId,
    environmentId,
    pipelines,
    pipelineId: pipeline?.summary?.id ?? "",
    templates: server.client(TemplateService, admin.token),
  };
}

describe("a template", () => {
  test("is saved from a pipeline, listed by category, and used in one step with what was filled in", async () => {
    const { teamId, environmentId, pipelines, pipelineId, templates } = await begin();
    const name = `To HTTP ${newId()}`;
    const { template } = await templates.createTemplate({
      pipelineId,
      name,
      category: "Own",
      parameters,
      yaml: templated,
    });
    const id = template?.id ?? "";
    expect(template).toMatchObject({ name, builtIn: false, yaml: templated });
    const listed = await templates.listTemplates({ teamId, category: "Own" });
    expect(listed.templates).toMatchObject([
      {
        id,
        yaml: "",
        componentTypes: ["demo_logs", "http"],
        parameters: [{ name: "host" }, {}, {}],
      },
    ]);
    const [row] = await sql.query<{ nodes: object[]; edges: object[] }>(
      `select "nodes", "edges" from "Template" where "id" = $1`,
      [id],
    );
    expect(row?.nodes).toMatchObject([
      { componentKey: "in", kind: "SOURCE", componentType: "demo_logs" },
      { componentKey: "out", kind: "SINK", config: { uri: "https://PARAM[host]/in" } },
    ]);
    expect(row?.edges).toEqual([{ source: "in", sourcePort: null, target: "out" }]);

    const use = { environmentId, templateId: id, name: "Made" };
    const missing = await templates.useTemplate(use).catch(refusal);
    expect(missing).toEqual({ code: Code.InvalidArgument, message: "values.host is required" });
    const wrong = { host: "h", size: "many", pw: "no name", other: "x" };
    expect(await templates.useTemplate({ ...use, values: wrong }).catch(refusal)).toMatchObject({
      message: expect.stringMatching(/^values\.other is no parameter.*and 2 more/) as string,
    });
    const values = { host: 'a.example.com/"x', size: "250" };
    const preview = await templates.previewTemplate({ environmentId, templateId: id, values });
    expect(preview.problems.map(({ message }) => message)).toEqual([
      "there is no secret named out_password in this environment",
    ]);
    const { pipeline } = await templates.useTemplate({ ...use, values });
    expect(pipeline?.yaml).toBe(preview.yaml);
    expect(pipeline?.yaml).toContain("# Kept.");
    const read = parse(pipeline?.yaml ?? "") as { sinks: { out: object } };
    expect(read.sinks.out).toMatchObject({
      uri: 'https://a.example.com/"x/in',
      batch: { max_events: 250 },
      auth: { password: "SECRET[out_password]" },
    });
    // The second of that name: nothing is left of it.
    expect(await templates.useTemplate({ ...use, values }).catch(refusal)).toMatchObject({
      code: Code.AlreadyExists,
    });
    expect((await pipelines.listPipelines({ environmentId })).pipelines).toHaveLength(2);
    await server
      .client(SecretService, admin.token)
      .createSecret({ environmentId, name: "out_password", value: "x" });
    const made = pipeline?.summary?.id ?? "";
    const { version } = await pipelines.deployPipeline({ id: made });
    expect(version?.version).toBe(1);
  });

  test("holds no credential: it is refused by its place, and references stay references (X4)", async () => {
    const { pipelineId, templates } = await begin();
    const name = newId();
    const secret = "hunter2-in-clear";
    const refused = await templates
      .createTemplate({ pipelineId, name, yaml: yaml("h", "5", secret) })
      .catch(refusal);
    expect(refused).toMatchObject({
      code: Code.InvalidArgument,
      message:
        "yaml.out.auth.password holds a value that is meant to be secret: refer to a secret, or make it a parameter",
    });
    expect(JSON.stringify(refused)).not.toContain(secret);
    const { template } = await templates.createTemplate({ pipelineId, name });
    expect(template?.yaml).toContain("SECRET[pw]");
    expect(await templates.createTemplate({ pipelineId, name }).catch(refusal)).toMatchObject({
      code: Code.AlreadyExists,
    });
  });

  test.each([
    [{ parameters: [] }, /parameters must have host/],
    [
      { parameters: [...parameters, { name: "unused", type: TemplateParameterType.TEXT }] },
      /stands nowhere/,
    ],
    [{ parameters: [...parameters, ...parameters] }, /is there twice/],
    [{ parameters: [{ name: "host" }] }, /type is required/],
    [{ yaml: "- no map", parameters: [] }, /is no configuration/],
    [{ yaml: "sources: {}", parameters: [] }, /has no components/],
    [{ name: "" }, /name is required/],
  ])("with %o is refused", async (change, message) => {
    const { pipelineId, templates } = await begin();
    const input = { pipelineId, name: newId(), parameters, yaml: templated, ...change };
    expect(await templates.createTemplate(input).catch(refusal)).toMatchObject({
      code: Code.InvalidArgument,
      message: expect.stringMatching(message) as string,
    });
  });

  test("of a text that is too long to be read at once is refused (S8)", async () => {
    const { pipelineId, templates } = await begin();
    const yaml = `# ${"x".repeat(140_000)}\n`;
    expect(
      await templates.createTemplate({ pipelineId, name: newId(), yaml }).catch(refusal),
    ).toEqual({ code: Code.InvalidArgument, message: "yaml must have at most 131072 characters" });
  });

  test("is changed and deleted by editors of its team; those that ship are not", async () => {
    const { teamId, environmentId, pipelineId, templates } = await begin();
    const { template } = await templates.createTemplate({ pipelineId, name: newId() });
    const id = template?.id ?? "";
    const change = { teamId, id, name: newId(), yaml: templated, parameters };
    const viewer = server.client(TemplateService, await newMemberToken(server, teamId, "VIEWER"));
    expect(await viewer.updateTemplate(change).catch(refusal)).toMatchObject({
      code: Code.PermissionDenied,
    });
    const etag = template?.etag ?? "";
    const changed = (await templates.updateTemplate({ ...change, etag })).template?.etag ?? "";
    // The second of two editors is told, also when both came at once.
    const outcomes = await Promise.all(
      ["a", "b"].map((description) =>
        templates
          .updateTemplate({ ...change, description, etag: changed })
          .then(() => "saved")
          .catch(refusal),
      ),
    );
    expect(outcomes).toContain("saved");
    expect(outcomes).toContainEqual(expect.objectContaining({ code: Code.Aborted }));
    for (const stale of [etag, ""]) {
      const late = templates.updateTemplate({ ...change, etag: stale });
      expect(await late.catch(refusal)).toMatchObject({ code: Code.Aborted });
    }
    expect((await viewer.getTemplate({ teamId, id })).template).toMatchObject({
      name: change.name,
      parameters: [{ name: "host" }, { name: "size", default: "100" }, { name: "pw" }],
    });
    const builtIn = { teamId, id: "builtin-syslog-to-loki" };
    for (const outcome of [
      await templates.deleteTemplate(builtIn).catch(refusal),
      await templates.updateTemplate({ ...change, ...builtIn }).catch(refusal),
    ]) {
      expect(outcome).toMatchObject({ code: Code.FailedPrecondition });
    }
    // Another team has none of it.
    const { team } = await server.client(TeamService, admin.token).createTeam({ name: newId() });
    const other = { teamId: team?.id ?? "", id };
    expect(await templates.getTemplate(other).catch(refusal)).toMatchObject({
      code: Code.NotFound,
    });
    const listed = await templates.listTemplates({ teamId: other.teamId });
    expect(listed.templates.map(({ name }) => name)).toEqual(
      builtInTemplates.map(({ name }) => name).toSorted((a, b) => a.localeCompare(b, "en")),
    );
    await templates.deleteTemplate({ teamId, id });
    const use = { environmentId, templateId: id, name: "x" };
    expect(await templates.useTemplate(use).catch(refusal)).toMatchObject({ code: Code.NotFound });
  });
});
