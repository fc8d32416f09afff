import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { Client } from "@connectrpc/connect";
import { DataType } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { openSql, seedNodes } from "../testing/seed.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
let pipelines: Client<typeof PipelineService>;
let environmentId: string;

beforeAll(async () => {
  server = await startTestServer(inject("templateUrl"));
  const owner = await setUp(server);
  environmentId = owner.environmentId;
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
