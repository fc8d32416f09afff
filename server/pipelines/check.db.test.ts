import { gzipSync } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { Client } from "@connectrpc/connect";
import { ComponentSchemaService } from "#gen/vectorflow/v1/component_schema_service_pb.ts";
import { ComponentKind, DataType } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { openSql, seedNodes } from "../testing/seed.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
let pipelines: Client<typeof PipelineService>;
let environmentId: string;
let token: string;

beforeAll(async () => {
  server = await startTestServer(inject("templateUrl"));
  const owner = await setUp(server);
  ({ environmentId, token } = owner);
  pipelines = server.client(PipelineService, owner.token);
});
afterAll(() => server[Symbol.asyncDispose]());

const text = `sources:
  in: {type: demo_logs, format: json}
transforms:
  split: {type: route, inputs: [in], route: {bad: "true"}}
sinks:
  out: {type: blackhole, inputs: [split.bad, split._unmatched]}
`;

test("a pipeline tells the outputs of its components, and edges carry them", async () => {
  const created = await pipelines.createPipeline({ environmentId, name: "Outputs", yaml: text });
  const id = created.pipeline?.summary?.id ?? "";
  const { pipeline } = await pipelines.getPipeline({ id });
  expect(pipeline?.components.find(({ key }) => key === "split")?.outputs).toMatchObject([
    { name: "bad", dataTypes: [DataType.LOG] },
    { name: "_unmatched", dataTypes: [DataType.LOG] },
  ]);
  const edges = [
    { componentKey: "split", output: "_unmatched" },
    { componentKey: "split", output: "bad" },
  ];
  // Lists have the edges too, from the stored graph.
  expect(pipeline?.summary?.components.find(({ key }) => key === "out")).toMatchObject({
    edges,
    inputs: ["split._unmatched", "split.bad"],
  });
  const { components } = await pipelines.previewPipeline({ id, yaml: text });
  expect(components.at(-1)?.edges).toMatchObject(edges.toReversed());
});

test("an edit renames a component and its edges, and the saved one keeps its place", async () => {
  const created = await pipelines.createPipeline({ environmentId, name: "Rename", yaml: text });
  const id = created.pipeline?.summary?.id ?? "";
  await using sql = await openSql(server.databaseUrl);
  await sql.query(
    `update "PipelineNode" set "positionX" = 4711 where "pipelineId" = $1 and "componentKey" = 'split'`,
    [id],
  );
  const edited = await pipelines.editPipelineText({
    environmentId,
    yaml: text,
    edit: { case: "renameComponent", value: { key: "split", newKey: "by_level" } },
  });
  expect(edited.yaml).toBe(text.replaceAll("split", "by_level"));
  expect(edited.edits).toHaveLength(3);
  const revision = created.pipeline?.revision ?? "";
  const saved = await pipelines.updatePipeline({ id, revision, yaml: edited.yaml });
  expect(saved.pipeline?.problems).toEqual([]);
  const rows = await sql.query(
    `select "componentKey" from "PipelineNode" where "pipelineId" = $1 and "positionX" = 4711`,
    [id],
  );
  expect(rows).toEqual([{ componentKey: "by_level" }]);
});

test.each([
  ["a name that is taken", { case: "renameComponent", value: { key: "split", newKey: "in" } }],
  ["an output without a name", { case: "renameOutput", value: { componentKey: "in" } }],
  ["no edit", { case: undefined }],
] as const)("an edit that cannot be made is refused: %s", async (_name, edit) => {
  const refused = pipelines.editPipelineText({ environmentId, yaml: text, edit });
  const error = ConnectError.from(await refused.catch((thrown: unknown) => thrown));
  expect(error.code).toBe(Code.InvalidArgument);
});

test("a port that a pipeline on the same hosts has is a warning", async () => {
  await using sql = await openSql(server.databaseUrl);
  const listens = `sources:
  web: {type: http_server, address: "0.0.0.0:8080"}
sinks:
  out: {type: blackhole, inputs: [web]}
`;
  const ids: string[] = [];
  for (const name of ["Edge", "Other"]) {
    const { pipeline } = await pipelines.createPipeline({ environmentId, name, yaml: listens });
    ids.push(pipeline?.summary?.id ?? "");
  }
  const [edge, other = ""] = ids;
  const warned = async (): Promise<readonly string[]> => {
    const { problems } = await pipelines.previewPipeline({ id: other, yaml: listens });
    return problems.map(({ message }) => message);
  };
  const select = (id: string | undefined, value: string) =>
    sql.query(`update "Pipeline" set "nodeSelector" = $2 where "id" = $1`, [
      id,
      JSON.stringify([{ key: "role", operator: "equals", values: [value] }]),
    ]);
  await seedNodes(sql, environmentId, 2);
  await sql.query(`update "VectorNode" set "labels" = '{"role": "edge"}' where "id" = 'n1'`);
  // Nobody runs the other one yet.
  expect(await warned()).toEqual([]);
  await pipelines.deployPipeline({ id: edge ?? "" });
  expect(await warned()).toEqual([
    expect.stringMatching(/the pipeline Edge listens on tcp 0\.0\.0\.0:8080 too \(web\)/),
  ]);
  await select(edge, "edge");
  expect(await warned()).toHaveLength(1);
  await select(other, "db");
  expect(await warned()).toEqual([]);
  await select(other, "edge");
  expect(await warned()).toHaveLength(1);
});

test("checks and forms follow the versions of Vector on the hosts", async () => {
  await using sql = await openSql(server.databaseUrl);
  const forms = server.client(ComponentSchemaService, token);
  const old = {
    $schema: "x",
    definitions: {
      "vector::sources::Sources": {
        oneOf: [
          {
            allOf: [
              { properties: { format: { type: "string" }, interval: { type: "number" } } },
              { properties: { type: { const: "demo_logs" } } },
            ],
          },
        ],
      },
    },
  };
  const place = { environmentId, kind: ComponentKind.SOURCE, type: "demo_logs" };
  expect((await forms.getComponentForm(place)).versions).toMatchObject({ present: [], known: [] });
  await sql.query(`update "VectorNode" set "vectorVersion" = '0.58.0' where "id" = 'n1'`);
  await sql.query(`update "VectorNode" set "vectorVersion" = '0.40.0' where "id" = 'n2'`);
  const draft = text.replace(
    "{type: demo_logs, format: json}",
    "{type: demo_logs, format: json, count: 1}",
  );
  // Nobody has sent that version's schema yet.
  expect((await pipelines.checkPipeline({ environmentId, yaml: draft })).problems).toEqual([]);
  await sql.query(
    `insert into "ComponentSchema" ("id", "vectorVersion", "schemaGzip", "sizeBytes", "requestedAt", "createdAt")
     values ('cs', '0.40.0', $1, 1, now(), now())`,
    [gzipSync(JSON.stringify(old))],
  );
  const { problems } = await pipelines.checkPipeline({ environmentId, yaml: draft });
  expect(problems.map(({ componentKey, message }) => `${componentKey}: ${message}`)).toEqual([
    "in: Vector 0.40.0, the lowest version on the hosts here, has no option count",
    "split: Vector 0.40.0, the lowest version on the hosts here, has no transform route",
    "out: Vector 0.40.0, the lowest version on the hosts here, has no sink blackhole",
  ]);
  const { options, versions, type } = await forms.getComponentForm(place);
  expect(versions).toMatchObject({
    present: ["0.40.0", "0.58.0"],
    known: ["0.40.0"],
    shipped: "0.58.0",
  });
  expect(type?.description).not.toBe("");
  expect(options.find(({ path }) => path === "count")?.lackingIn).toEqual(["0.40.0"]);
  expect(options.find(({ path }) => path === "format")).toMatchObject({
    required: true,
    lackingIn: [],
  });
  const { types } = await forms.getComponentCatalogue({ environmentId });
  expect(types.find((other) => other.type === "route")?.lackingIn).toEqual(["0.40.0"]);
  const none = forms.getComponentForm({ ...place, type: "nothing" });
  const error = ConnectError.from(await none.catch((thrown: unknown) => thrown));
  expect(error.code).toBe(Code.NotFound);
});
