import { ConnectError, type Client } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { ErrorInfoSchema } from "#gen/vectorflow/v1/error_pb.ts";
import {
  PipelineService,
  ChangeKind,
  DeployEffect,
} from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { PreviewService } from "#gen/vectorflow/v1/preview_service_pb.ts";
import { newId } from "../db/columns.ts";
import { openSql, type Sql } from "../testing/seed.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";

const yaml = (format: string, more = ""): string => `${more}sources:
  in: {type: demo_logs, format: ${format}}
transforms:
  parse: {type: remap, inputs: [in], source: ". = {}"}
sinks:
  out: {type: blackhole, inputs: [parse]}
`;

let server: TestServer;
let sql: Sql;
let pipelines: Client<typeof PipelineService>;
let previews: Client<typeof PreviewService>;
let environmentId: string;

beforeAll(async () => {
  server = await startTestServer(inject("templateUrl"));
  const admin = await setUp(server);
  environmentId = admin.environmentId;
  sql = await openSql(server.databaseUrl);
  pipelines = server.client(PipelineService, admin.token);
  previews = server.client(PreviewService, admin.token);
});

afterAll(async () => {
  await sql[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function deployed(text = yaml("json")): Promise<string> {
  const { pipeline } = await pipelines.createPipeline({ environmentId, name: newId(), yaml: text });
  const id = pipeline?.summary?.id ?? "";
  await pipelines.deployPipeline({ id });
  return id;
}

async function save(id: string, text: string): Promise<void> {
  const { pipeline } = await pipelines.getPipeline({ id });
  await pipelines.updatePipeline({ id, revision: pipeline?.revision ?? "", yaml: text });
}

async function reasonOf(call: Promise<unknown>): Promise<string | undefined> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.reason;
}

const move = (id: string, key: string, x: number) =>
  sql.query(
    `update "PipelineNode" set "positionX" = $3 where "pipelineId" = $1 and "componentKey" = $2`,
    [id, key, x],
  );
const placesOf = async (id: string) =>
  Object.fromEntries(
    (
      await sql.query<{ key: string; x: number }>(
        `select "componentKey" as key, "positionX" as x from "PipelineNode" where "pipelineId" = $1`,
        [id],
      )
    ).map(({ key, x }) => [key, x]),
  );

describe("a version", () => {
  test("keeps the graph, and going back restores it with its places", async () => {
    const id = await deployed();
    await move(id, "parse", 111);
    await pipelines.deployPipeline({ id });
    const [version] = await sql.query<{ nodesSnapshot: unknown; edgesSnapshot: unknown }>(
      `select "nodesSnapshot", "edgesSnapshot" from "PipelineVersion" where "pipelineId" = $1 and "version" = 2`,
      [id],
    );
    expect(version).toMatchObject({
      nodesSnapshot: [
        {
          componentKey: "in",
          kind: "SOURCE",
          componentType: "demo_logs",
          config: { format: "json" },
        },
        { componentKey: "parse", kind: "TRANSFORM", positionX: 111 },
        { componentKey: "out", kind: "SINK" },
      ],
      edgesSnapshot: [
        { source: "in", sourcePort: null, target: "parse" },
        { source: "parse", sourcePort: null, target: "out" },
      ],
    });
    await move(id, "parse", 222);
    await save(
      id,
      "sources:\n  other: {type: stdin}\nsinks: {out: {type: blackhole, inputs: [other]}}\n",
    );
    expect(Object.keys(await placesOf(id)).toSorted()).toEqual(["other", "out"]);
    const { pipeline } = await pipelines.getPipeline({ id });
    await pipelines.rollbackPipeline({ id, version: 2, revision: pipeline?.revision ?? "" });
    expect(await placesOf(id)).toMatchObject({ parse: 111 });
    expect((await pipelines.listVersions({ pipelineId: id })).versions[0]?.version).toBe(3);
  });

  test("is not gone back to over a draft that nobody saw", async () => {
    const id = await deployed();
    await save(id, yaml("syslog"));
    await pipelines.deployPipeline({ id });
    const back = (revision = "") => pipelines.rollbackPipeline({ id, version: 1, revision });
    await save(id, yaml("apache_common"));
    expect(await reasonOf(back())).toBe("draft_not_deployed");
    const seen = (await pipelines.getPipeline({ id })).pipeline?.revision;
    await save(id, yaml("apache_error"));
    expect(await reasonOf(back(seen))).toBe("pipeline_changed");
    const { pipeline } = await pipelines.getPipeline({ id });
    expect(pipeline?.yaml).toBe(yaml("apache_error"));
    expect((await back(pipeline?.revision)).version?.version).toBe(3);
    // What versions have is not lost: the draft of the newest one, and one with the old text.
    expect((await back()).version?.version).toBe(4);
    await save(id, yaml("syslog"));
    await pipelines.deployPipeline({ id });
    await save(id, yaml("json"));
    expect((await back()).version?.version).toBe(6);
  });

  test("moving a component is no change, and hosts get the same bytes", async () => {
    const id = await deployed();
    await move(id, "in", 999);
    expect((await pipelines.getPipeline({ id })).pipeline?.summary?.changed).toBe(false);
    await pipelines.deployPipeline({ id });
    const hashes = await sql.query<{ hash: string }>(
      `select distinct "contentHash" as hash from "PipelineVersion" where "pipelineId" = $1`,
      [id],
    );
    expect(hashes).toHaveLength(1);
    const compared = await previews.compareVersions({
      pipelineId: id,
      fromVersion: 1,
      toVersion: 2,
    });
    expect(compared).toMatchObject({ changes: [], effect: DeployEffect.NOTHING });
    expect(compared.fromYaml).toBe(compared.toYaml);
  });

  test("50 deploys at once give 50 consecutive versions, each with its graph", async () => {
    const id = await deployed();
    await Promise.all(Array.from({ length: 50 }, () => pipelines.deployPipeline({ id })));
    const rows = await sql.query<{ version: number; nodes: number }>(
      `select "version", jsonb_array_length("nodesSnapshot") as nodes from "PipelineVersion"
       where "pipelineId" = $1 order by "version"`,
      [id],
    );
    expect(rows).toEqual(
      Array.from({ length: 51 }, (_, index) => ({ version: index + 1, nodes: 3 })),
    );
  });

  test("any two are compared, and one with the draft", async () => {
    const id = await deployed();
    await save(id, yaml("syslog"));
    await pipelines.deployPipeline({ id });
    await save(id, yaml("syslog", "timezone: UTC\n"));
    const compare = (fromVersion: number, toVersion: number) =>
      previews.compareVersions({ pipelineId: id, fromVersion, toVersion });
    expect(await compare(1, 2)).toMatchObject({
      changes: [{ componentKey: "in", kind: ChangeKind.CHANGED, fields: ["format"] }],
      changedOptions: [],
      effect: DeployEffect.RELOAD,
    });
    expect(await compare(2, 0)).toMatchObject({
      changes: [],
      changedOptions: ["timezone"],
      effect: DeployEffect.RESTART,
    });
    expect((await compare(2, 1)).toYaml).toContain("json");
    const preview = await pipelines.previewPipeline({ id, yaml: yaml("json", "timezone: UTC\n") });
    expect(preview).toMatchObject({
      changes: [{ componentKey: "in", fields: ["format"] }],
      changedOptions: ["timezone"],
      effect: DeployEffect.RESTART,
    });
    // A draft with errors is compared as it was written.
    await save(id, "sources: [\n");
    expect(await compare(2, 0)).toMatchObject({
      toYaml: "sources: [\n",
      changes: [],
      effect: DeployEffect.UNSPECIFIED,
    });
  });
});
