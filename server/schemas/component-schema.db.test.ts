import { gunzipSync, gzipSync } from "node:zlib";
import { Code } from "@connectrpc/connect";
import { describe, expect, inject, test } from "vitest";
import { CommandStatus } from "#gen/vectorflow/agent/v1/command_pb.ts";
import { Capability } from "#gen/vectorflow/agent/v1/session_pb.ts";
import { ComponentSchemaService } from "#gen/vectorflow/v1/component_schema_service_pb.ts";
import { eventually } from "../testing/eventually.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";

const schema = JSON.stringify({ $schema: "x", allOf: [], definitions: { a: { type: "string" } } });

async function world(server: TestServer) {
  const { token, enrollmentToken } = await setUp(server);
  return {
    schemas: server.client(ComponentSchemaService, token),
    agent: async (name: string, capabilities = [Capability.COMPONENT_SCHEMA]) => {
      const agent = new FakeAgent(server.server.agentUrl, name);
      agent.capabilities = capabilities;
      await agent.enroll(enrollmentToken);
      return agent;
    },
  };
}

const orders = (agent: FakeAgent) =>
  agent.messages.flatMap(({ message }) =>
    message.case === "command" && message.value.kind.case === "uploadComponentSchema"
      ? [message.value.id]
      : [],
  );

describe("the schema of a Vector version", () => {
  test("is asked of one host, kept once, and served", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { schemas, agent } = await world(server);
    await using first = await agent("first");
    await first.connect();
    await eventually(() => expect(orders(first)).toHaveLength(1));
    await using second = await agent("second");
    await second.connect();
    // Nobody asked this one: what it sends is left out.
    const wrong = gzipSync(JSON.stringify({ $schema: "y", allOf: [], definitions: {} }));
    second.send({
      case: "componentSchema",
      value: { vectorVersion: "0.58.0", schemaGzip: wrong },
    });
    first.send({
      case: "componentSchema",
      value: { vectorVersion: "0.58.0", schemaGzip: gzipSync(schema) },
    });
    await eventually(async () => {
      const { schemas: known } = await schemas.listComponentSchemas({});
      expect(known).toMatchObject([
        { vectorVersion: "0.58.0", sizeBytes: schema.length, error: "" },
      ]);
    });
    const { schemaGzip } = await schemas.getComponentSchema({ vectorVersion: "0.58.0" });
    expect(gunzipSync(schemaGzip).toString()).toBe(schema);
    await using third = await agent("third");
    await third.connect();
    await second.connect();
    await eventually(() => expect(third.desired).toHaveLength(1));
    expect([...orders(second), ...orders(third)]).toEqual([]);
    const missing = await schemas
      .getComponentSchema({ vectorVersion: "0.1.0" })
      .catch((error: { code: Code }) => error.code);
    expect(missing).toBe(Code.NotFound);
  });

  test.each<[string, (agent: FakeAgent, id: string) => void, string]>([
    [
      "the answer of a host that cannot make one",
      (agent, id) =>
        agent.send({
          case: "commandResult",
          value: { commandId: id, status: CommandStatus.FAILED, message: "no such command" },
        }),
      "no such command",
    ],
    [
      "what is no schema",
      (agent) =>
        agent.send({
          case: "componentSchema",
          value: { vectorVersion: "0.58.0", schemaGzip: gzipSync('{"a":1}') },
        }),
      "the host sent something that is no schema of Vector",
    ],
    [
      "what would fill the memory",
      (agent) =>
        agent.send({
          case: "componentSchema",
          value: { vectorVersion: "0.58.0", schemaGzip: gzipSync(Buffer.alloc(20 * 1024 * 1024)) },
        }),
      "the host sent something that is no compressed JSON of a fitting size",
    ],
  ])("is an error that is remembered: %s", async (_, answer, error) => {
    await using server = await startTestServer(inject("templateUrl"));
    const { schemas, agent } = await world(server);
    await using first = await agent("first");
    await first.connect();
    await eventually(() => expect(orders(first)).toHaveLength(1));
    answer(first, orders(first)[0] ?? "");
    await eventually(async () => {
      const { schemas: known } = await schemas.listComponentSchemas({});
      expect(known).toMatchObject([{ vectorVersion: "0.58.0", sizeBytes: 0, error }]);
    });
    await using second = await agent("second");
    await second.connect();
    await eventually(() => expect(second.desired).toHaveLength(1));
    expect(orders(second)).toEqual([]);
  });

  test("is not asked of an agent that cannot send it", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { agent } = await world(server);
    await using old = await agent("old", []);
    await old.connect();
    await eventually(() => expect(old.desired).toHaveLength(1));
    expect(orders(old)).toEqual([]);
  });
});
