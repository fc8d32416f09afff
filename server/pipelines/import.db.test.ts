import { ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { ErrorInfoSchema } from "#gen/vectorflow/v1/error_pb.ts";
import { ConfigurationFormat, ImportService } from "#gen/vectorflow/v1/import_service_pb.ts";
import { ComponentKind, Severity } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";

const toml = `# The demo
data_dir = "/var/lib/vector"
[sources.in]
type = "demo_logs"
format = "json"
[sinks.out] # nothing
type = "blackhole"
inputs = ["i*"]
`;

const yaml = `# The demo
sources:
  in:
    type: demo_logs
    format: json
sinks:
  # nothing
  out:
    type: blackhole
    inputs:
      - i*
`;

let server: TestServer;
let admin: Awaited<ReturnType<typeof setUp>>;

beforeAll(async () => {
  server = await startTestServer(inject("templateUrl"));
  admin = await setUp(server);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const read = (files: Readonly<Record<string, string>>) =>
  server.client(ImportService, admin.token).readConfiguration({
    environmentId: admin.environmentId,
    files: Object.entries(files).map(([path, text]) => ({ path, content: Buffer.from(text) })),
  });

describe("import and export", () => {
  test("a file of TOML becomes a draft that deploys, and comes out as it went in", async () => {
    const found = await read({ "vector.toml": toml });
    expect(found).toMatchObject({
      yaml,
      name: "vector",
      notices: [{ message: expect.stringContaining("data_dir is taken out") as string }],
      fileProblems: [],
      problems: [],
      components: [
        { key: "in", kind: ComponentKind.SOURCE, type: "demo_logs" },
        { key: "out", kind: ComponentKind.SINK, type: "blackhole", inputs: ["i*"] },
      ],
    });
    const pipelines = server.client(PipelineService, admin.token);
    const { pipeline } = await pipelines.createPipeline({
      environmentId: admin.environmentId,
      name: "Demo",
      yaml: found.yaml,
    });
    const id = pipeline?.summary?.id ?? "";
    await pipelines.deployPipeline({ id });
    const imports = server.client(ImportService, admin.token);
    const out = await imports.exportPipeline({ id, format: ConfigurationFormat.YAML });
    expect(out).toMatchObject({ filename: "Demo.yaml", content: yaml, notices: [] });
    const again = await imports.exportPipeline({
      id,
      version: 1,
      format: ConfigurationFormat.TOML,
    });
    expect(again).toMatchObject({ filename: "Demo-v1.toml", notices: ["comments are left out"] });
    const { yaml: back } = await read({ "Demo.toml": again.content });
    expect(back).toBe(yaml.replace(/ *# .*\n/g, ""));
  });

  test("a folder with duplicates is refused, and problems of the environment are told", async () => {
    const twice = await read({ "v/sinks/out.yaml": "type: blackhole", "v/a.toml": toml });
    expect(twice.yaml).toBe("");
    expect(twice.fileProblems).toMatchObject([
      { path: "v/sinks/out.yaml", message: "there is a sink named out in v/a.toml too" },
    ]);
    const missing = await read({ "a.yaml": yaml.replace("format: json", 'format: "SECRET[x]"') });
    expect(missing.problems.filter(({ severity }) => severity === Severity.ERROR)).toMatchObject([
      { componentKey: "in", message: expect.stringContaining("no secret named x") as string },
    ]);
  });

  test("5 MB are read, and more is refused with words", async () => {
    const big = await read({ "a.yaml": `${yaml}# ${"x".repeat(5_000_000)}` });
    expect(big.fileProblems).toMatchObject([
      { message: expect.stringContaining("at most 5 MB are read") as string },
    ]);
    const almost = await read({ "a.json": `{"sources": {}${" ".repeat(4_900_000)}}` });
    expect(almost).toMatchObject({ yaml: "sources: {}\n", fileProblems: [] });
  });

  test("a format is needed, and one that cannot say it is refused", async () => {
    const pipelines = server.client(PipelineService, admin.token);
    const { pipeline } = await pipelines.createPipeline({
      environmentId: admin.environmentId,
      name: "Nothing",
      yaml: "sources: [~]\n",
    });
    const id = pipeline?.summary?.id ?? "";
    const reasonOf = async (format: ConfigurationFormat): Promise<string | undefined> => {
      const error: unknown = await server
        .client(ImportService, admin.token)
        .exportPipeline({ id, format })
        .catch((thrown: unknown) => thrown);
      return ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.reason;
    };
    expect(await reasonOf(ConfigurationFormat.UNSPECIFIED)).toBe("invalid_request");
    expect(await reasonOf(ConfigurationFormat.TOML)).toBe("export_impossible");
  });
});
