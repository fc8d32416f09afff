import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { CommandStatus } from "#gen/vectorflow/agent/v1/command_pb.ts";
import { pipelineYaml } from "../testing/inspected-agent.ts";
import { isRealVector, patience, runPipeline } from "../testing/run-pipeline.ts";

describe("the schema of the installed Vector", () => {
  test.concurrent("is sent when the server asks for it, once each", async () => {
    await using agent = await runPipeline(pipelineYaml());
    const ask = (id: string): void =>
      agent.plane.send({
        case: "command",
        value: { id, kind: { case: "uploadComponentSchema", value: {} } },
      });
    ask("s1");
    ask("s1");
    await vi.waitFor(
      () =>
        expect(agent.plane.sent("commandResult")).toMatchObject([
          { commandId: "s1", status: CommandStatus.OK },
        ]),
      patience,
    );
    const [sent, ...others] = agent.plane.sent("componentSchema");
    expect(others).toEqual([]);
    expect(sent?.vectorVersion).toMatch(/^\d+\.\d+\.\d+/);
    const schema = JSON.parse(gunzipSync(sent?.schemaGzip ?? Buffer.of()).toString()) as object;
    expect(schema).toHaveProperty("definitions");
    expect(JSON.stringify(schema)).toContain("demo_logs");
  });

  test.skipIf(isRealVector)("is not there in a Vector that has no such command", async () => {
    const vector = join(import.meta.dirname, "../testing/old-vector");
    await using agent = await runPipeline(pipelineYaml(), { vector });
    agent.plane.send({
      case: "command",
      value: { id: "s1", kind: { case: "uploadComponentSchema", value: {} } },
    });
    await vi.waitFor(
      () =>
        expect(agent.plane.sent("commandResult")).toMatchObject([
          {
            status: CommandStatus.FAILED,
            message:
              "vector generate-schema failed: it ended with code 2: error: unrecognized subcommand 'generate-schema'",
          },
        ]),
      patience,
    );
    expect(agent.plane.sent("componentSchema")).toEqual([]);
  });
});
