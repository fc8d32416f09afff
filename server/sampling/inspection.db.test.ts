import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, inject, test } from "vitest";
import { CommandStatus } from "#gen/vectorflow/agent/v1/command_pb.ts";
import { FieldType } from "#gen/vectorflow/agent/v1/inspection_pb.ts";
import { Capability } from "#gen/vectorflow/agent/v1/session_pb.ts";
import { SampleState } from "#gen/vectorflow/v1/inspection_pb.ts";
import { InspectionService } from "#gen/vectorflow/v1/inspection_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { newMemberToken } from "../testing/new-member.ts";
import { eventually } from "../testing/eventually.ts";
import type { FakeAgent } from "../testing/fake-agent.ts";
import { startRunningHost } from "../testing/running-host.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";

/** A server with one deployed pipeline that one agent says it runs. */
async function running(server: TestServer, capabilities?: readonly Capability[]) {
  const admin = await setUp(server);
  const host = await startRunningHost(server, admin, capabilities);
  return {
    ...admin,
    ...host,
    pipelines: server.client(PipelineService, admin.token),
    inspection: server.client(InspectionService, admin.token),
  };
}

/** Answers each order for a sample with these events of each component. */
function answerSamples(agent: FakeAgent, events: readonly string[], error = ""): void {
  agent.onMessage = (message) => {
    if (message.case !== "command" || message.value.kind.case !== "sample") return;
    const { id, kind } = message.value;
    const componentIds = [...kind.value.componentIds];
    agent.send({
      case: "sampleResult",
      value: {
        commandId: id,
        more: true,
        events: componentIds.flatMap((componentId) =>
          events.map((json) => ({ componentId, json })),
        ),
      },
    });
    agent.send({
      case: "sampleResult",
      value: {
        commandId: id,
        events: [{ componentId: "never asked for", json: "{}" }],
        components: componentIds.map((componentId) => ({
          componentId,
          complete: error === "",
          error,
          fields: [
            { path: ".a", types: [FieldType.INTEGER, FieldType.FLOAT, 99 as never], eventCount: 2 },
          ],
        })),
      },
    });
    agent.send({ case: "commandResult", value: { commandId: id, status: CommandStatus.OK } });
  };
}

const reasonOf = (error: unknown): string =>
  error instanceof ConnectError ? `${Code[error.code]}: ${error.rawMessage}` : String(error);

async function audited(server: TestServer, action: string): Promise<readonly string[]> {
  const rows = await server.server.deps.orm.em
    .fork()
    .execute<{ text: string }[]>(
      `select "AuditLog"::text as "text" from "AuditLog" where "action" = ?`,
      [action],
    );
  return rows.map(({ text }) => text);
}

describe("SampleEvents", () => {
  test("asks the host, keeps what it answers, and finds it again", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using world = await running(server);
    const { agent, inspection, pipelineId, nodeId } = world;
    await inspection.setRedaction({
      environmentId: world.environmentId,
      redaction: { fieldGlobs: ["user.mail"], valuePatterns: ["\\d{4}"] },
    });
    answerSamples(agent, ['{"a":12345678901234567890}', '{"a":1.0}', "{half", '{"a":"\\u0000"}']);
    const { sample } = await inspection.sampleEvents({
      pipelineId,
      nodeId,
      componentKeys: ["in", "out", "in"],
      limit: 3,
    });
    expect(sample).toMatchObject({ state: SampleState.PENDING, nodeName: "host____________" });
    const id = sample?.id ?? "";
    await eventually(async () => {
      const { sample: now } = await inspection.getSample({ pipelineId, id });
      expect(now?.state).toBe(SampleState.COMPLETED);
    });
    const { sample: done } = await inspection.getSample({ pipelineId, id });
    expect(done?.components).toMatchObject([
      {
        componentKey: "in",
        // Numbers keep their digits; what is no JSON costs itself.
        events: ['{"a": 12345678901234567890}', '{"a": 1.0}', '{"a": "\uFFFD"}'],
        fields: [{ path: ".a", types: ["integer", "float"], eventCount: 2 }],
        error: "",
      },
      { componentKey: "out" },
    ]);
    const order = agent.messages.find(({ message }) => message.case === "command")?.message;
    expect(order?.case === "command" && order.value.kind.value).toMatchObject({
      pipelineId,
      componentIds: ["in", "out"],
      limit: 3,
      redaction: { fieldGlobs: ["user.mail"], valuePatterns: ["\\d{4}"] },
    });
    const { samples } = await inspection.listSamples({ pipelineId });
    expect(samples).toMatchObject([{ id, requestedBy: "Admin", components: [] }]);
    const [row] = await audited(server, "sample.requested");
    expect(row).toContain(id);
    expect(await audited(server, "environment.redaction_changed")).toHaveLength(1);
  });

  test("keeps the error of the host, and that of each component", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using world = await running(server);
    const { agent, inspection, pipelineId, nodeId } = world;
    const take = async () => {
      const { sample } = await inspection.sampleEvents({
        pipelineId,
        nodeId,
        componentKeys: ["in"],
      });
      const id = sample?.id ?? "";
      await eventually(async () => {
        const { sample: now } = await inspection.getSample({ pipelineId, id });
        expect(now?.state).not.toBe(SampleState.PENDING);
      });
      return (await inspection.getSample({ pipelineId, id })).sample;
    };
    answerSamples(agent, ["{}"], "1 of 5 events came within 10 s");
    expect(await take()).toMatchObject({
      state: SampleState.COMPLETED,
      components: [{ events: ["{}"], error: "1 of 5 events came within 10 s" }],
    });
    agent.onMessage = (message) => {
      if (message.case !== "command") return;
      const value = {
        commandId: message.value.id,
        status: CommandStatus.FAILED,
        message: "broken",
      };
      agent.send({ case: "commandResult", value });
    };
    expect(await take()).toMatchObject({ state: SampleState.ERROR, error: "broken" });
    agent.onMessage = (message) => {
      if (message.case === "command") agent.drop();
    };
    expect(await take()).toMatchObject({
      state: SampleState.ERROR,
      error: "the host has lost its connection to the server",
    });
  });

  test("expires when the host says nothing, and keeps the newest twenty", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using world = await running(server);
    const { inspection, pipelineId, nodeId } = world;
    const ids: string[] = [];
    for (let i = 0; i < 22; i++) {
      const { sample } = await inspection.sampleEvents({
        pipelineId,
        nodeId,
        componentKeys: ["in"],
        timeLimitMs: 100,
      });
      ids.push(sample?.id ?? "");
    }
    const { samples } = await inspection.listSamples({ pipelineId });
    expect(samples.map(({ id }) => id).toSorted()).toEqual(ids.slice(2).toSorted());
    await server.server.deps.orm.em
      .fork()
      .execute(`update "EventSampleRequest" set "expiresAt" = now() - interval '1 second'`);
    const { sample } = await inspection.getSample({ pipelineId, id: ids.at(-1) ?? "" });
    expect(sample).toMatchObject({
      state: SampleState.EXPIRED,
      error: "the host did not answer in time",
    });
  });

  test("is asked of a host that comes back while it waits", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using world = await running(server);
    const { agent, inspection, pipelineId, nodeId } = world;
    answerSamples(agent, ["{}"]);
    agent.drop();
    await agent.ended;
    await eventually(() => expect(server.server.deps.hub.isConnected(nodeId)).toBe(false));
    // The server has not missed it yet.
    const { sample } = await inspection.sampleEvents({
      pipelineId,
      nodeId,
      componentKeys: ["in"],
    });
    await agent.connect();
    await eventually(async () => {
      const { sample: now } = await inspection.getSample({ pipelineId, id: sample?.id ?? "" });
      expect(now?.state).toBe(SampleState.COMPLETED);
    });
  });

  test("works when another replica has the host", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using world = await running(server);
    answerSamples(world.agent, ["{}"]);
    await using other = await startTestServer(inject("templateUrl"), {
      VECTORFLOW_DATABASE_URL: server.databaseUrl,
    });
    const inspection = other.client(InspectionService, world.token);
    const { pipelineId, nodeId } = world;
    const request = { pipelineId, nodeId, componentKeys: ["in"] };
    const { sample } = await inspection.sampleEvents(request);
    await eventually(async () => {
      const { sample: now } = await inspection.getSample({ pipelineId, id: sample?.id ?? "" });
      expect(now?.state).toBe(SampleState.COMPLETED);
    });
    const tap = Array.fromAsync(inspection.tapEvents(request));
    expect(reasonOf(await tap.catch((error: unknown) => error))).toMatch(/^Unavailable: .*replica/);
  });

  test("says what is in the way", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using world = await running(server, [Capability.SAMPLE]);
    const { agent, inspection, pipelines, pipelineId, nodeId } = world;
    const request = { pipelineId, nodeId, componentKeys: ["in"] };
    const ask = (more: object) =>
      inspection.sampleEvents({ ...request, ...more }).then(() => "ok", reasonOf);
    expect(await ask({ nodeId: "another" })).toMatch(/^NotFound/);
    expect(await ask({ componentKeys: [] })).toMatch(/^InvalidArgument/);
    expect(await ask({ limit: 101 })).toMatch(/^InvalidArgument/);
    const tap = Array.fromAsync(inspection.tapEvents(request));
    expect(reasonOf(await tap.catch((error: unknown) => error))).toMatch(
      /^FailedPrecondition: the agent on .* cannot tap events: update the agent/,
    );
    await pipelines.undeployPipeline({ id: pipelineId });
    await eventually(async () => {
      expect(await ask({})).toMatch(/^FailedPrecondition: Logs does not run on/);
    });
    agent.drop();
    await server.server.deps.orm.em
      .fork()
      .execute(`update "VectorNode" set "status" = 'UNREACHABLE'`);
    expect(await ask({})).toMatch(/^FailedPrecondition: .* is not connected/);
  });

  test("is for editors: a viewer sees no raw event (X3)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using world = await running(server);
    const { pipelineId, nodeId, teamId } = world;
    const viewer = server.client(InspectionService, await newMemberToken(server, teamId, "VIEWER"));
    const request = { pipelineId, nodeId, componentKeys: ["in"] };
    for (const call of [
      () => viewer.sampleEvents(request),
      () => viewer.getSample({ pipelineId, id: "any" }),
      () => viewer.listSamples({ pipelineId }),
      () => Array.fromAsync(viewer.tapEvents(request)),
      () => viewer.setRedaction({ environmentId: world.environmentId }),
    ]) {
      const error = await call().then(
        () => undefined,
        (thrown: unknown) => ConnectError.from(thrown),
      );
      expect(error?.code).toBe(Code.PermissionDenied);
    }
    const editor = server.client(InspectionService, await newMemberToken(server, teamId, "EDITOR"));
    await expect(editor.sampleEvents(request)).resolves.toBeDefined();
    const { redaction } = await viewer.getRedaction({ environmentId: world.environmentId });
    expect(redaction).toMatchObject({ fieldGlobs: [], valuePatterns: [] });
  });
});

describe("TapEvents", () => {
  test("passes events on until the viewer leaves, which ends it on the host", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using world = await running(server);
    const { agent, inspection, pipelineId, nodeId } = world;
    agent.onMessage = (message) => {
      if (message.case !== "tapStart") return;
      const { tapId } = message.value;
      agent.send({ case: "tapEvents", value: { tapId, started: true } });
      agent.send({
        case: "tapEvents",
        value: {
          tapId,
          droppedEvents: 7n,
          events: [
            { componentId: "in", json: '{"a":1}', cut: true, redacted: 2 },
            { componentId: "in", json: "{broken" },
          ],
        },
      });
    };
    const leave = new AbortController();
    const request = { pipelineId, nodeId, componentKeys: ["in"], eventsPerSecond: 40 };
    const got = { started: false, dropped: 0n, events: [] as object[] };
    const seen = (async () => {
      for await (const part of inspection.tapEvents(request, { signal: leave.signal })) {
        got.started ||= part.started;
        got.dropped += part.droppedEvents;
        got.events.push(...part.events);
      }
    })().catch(() => {});
    await eventually(() => expect(got).toMatchObject({ started: true, dropped: 8n }));
    expect(got.events).toMatchObject([
      { componentKey: "in", json: '{"a":1}', cut: true, redacted: 2 },
    ]);
    const start = agent.messages.find(({ message }) => message.case === "tapStart")?.message;
    const tapId = start?.case === "tapStart" ? start.value.tapId : "";
    expect(start?.value).toMatchObject({ limitPerInterval: 10, intervalMs: 250 });
    leave.abort();
    await seen;
    await eventually(() =>
      expect(agent.messages.at(-1)?.message).toMatchObject({ case: "tapStop", value: { tapId } }),
    );
    const [row] = await audited(server, "tap.started");
    expect(row).toContain(tapId);
    expect(row).not.toContain('{"a":1}');
  });

  test("ends with the host's reason, and when the host goes", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using world = await running(server);
    const { agent, inspection, pipelineId, nodeId } = world;
    const request = { pipelineId, nodeId, componentKeys: ["in"] };
    agent.onMessage = (message) => {
      if (message.case !== "tapStart") return;
      const value = { tapId: message.value.tapId, endedReason: "the pipeline has stopped" };
      agent.send({ case: "tapEvents", value });
    };
    const stopped = await Array.fromAsync(inspection.tapEvents(request));
    expect(stopped.at(-1)?.endedReason).toBe("the pipeline has stopped");
    agent.onMessage = (message) => {
      if (message.case === "tapStart") agent.drop();
    };
    const gone = await Array.fromAsync(inspection.tapEvents(request));
    expect(gone.at(-1)?.endedReason).toBe("the host has lost its connection to the server");
  });

  test("ends within seconds for one who is no editor any more (X2)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using world = await running(server);
    const { pipelineId, nodeId, teamId } = world;
    const editor = server.client(InspectionService, await newMemberToken(server, teamId, "EDITOR"));
    const request = { pipelineId, nodeId, componentKeys: ["in"] };
    const seen = Array.fromAsync(editor.tapEvents(request)).then(() => "ok", reasonOf);
    await eventually(() => expect(world.agent.messages.at(-1)?.message.case).toBe("tapStart"));
    await server.server.deps.orm.em
      .fork()
      .execute(`update "TeamMember" set "role" = 'VIEWER' where "role" = 'EDITOR'`);
    expect(await seen).toMatch(/^PermissionDenied/);
    await eventually(() => expect(world.agent.messages.at(-1)?.message.case).toBe("tapStop"));
  });

  test("is not moved by answers that nobody asked for", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using world = await running(server);
    const { agent, inspection, pipelineId } = world;
    agent.send({ case: "tapEvents", value: { tapId: "none", events: [{ json: "{}" }] } });
    agent.send({ case: "sampleResult", value: { commandId: "none", error: "x" } });
    agent.send({ case: "commandResult", value: { commandId: "none" } });
    await eventually(() =>
      expect(agent.messages.at(-1)?.message).toMatchObject({
        case: "tapStop",
        value: { tapId: "none" },
      }),
    );
    expect((await inspection.listSamples({ pipelineId })).samples).toEqual([]);
  });
});

describe("OpenTerminal", () => {
  test("is vector top on the host, for the one who opened it, until they leave", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using world = await running(server);
    const { agent, inspection, pipelineId, nodeId, teamId } = world;
    agent.onMessage = (message) => {
      if (message.case !== "terminalOpen") return;
      const { terminalId } = message.value;
      agent.send({ case: "terminalOutput", value: { terminalId } });
      agent.send({
        case: "terminalOutput",
        value: { terminalId, content: Buffer.from("\u001b[Htop") },
      });
    };
    const leave = new AbortController();
    const request = { pipelineId, nodeId, columns: 120, rows: 30 };
    const got = { id: "", opened: false, text: "" };
    const seen = (async () => {
      for await (const part of inspection.openTerminal(request, { signal: leave.signal })) {
        got.id ||= part.terminalId;
        got.opened ||= part.opened;
        got.text += Buffer.from(part.content).toString();
      }
    })().catch(() => {});
    await eventually(() => expect(got).toMatchObject({ opened: true, text: "\u001b[Htop" }));
    expect(
      agent.messages.find(({ message }) => message.case === "terminalOpen")?.message.value,
    ).toMatchObject({ command: ["vector", "top"], pipelineId, columns: 120, rows: 30 });

    const control = { pipelineId, nodeId, terminalId: got.id };
    await inspection.controlTerminal({ ...control, input: Buffer.from("j") });
    await inspection.controlTerminal({ ...control, input: Buffer.from("k"), columns: 100 });
    await eventually(() =>
      expect(agent.messages.slice(-3).map(({ message }) => message)).toMatchObject([
        { case: "terminalInput", value: { terminalId: got.id } },
        { case: "terminalResize", value: { columns: 100, rows: 30 } },
        { case: "terminalInput" },
      ]),
    );
    const editor = server.client(InspectionService, await newMemberToken(server, teamId, "EDITOR"));
    for (const call of [
      () => editor.controlTerminal({ ...control, input: Buffer.from("q") }),
      () => inspection.controlTerminal({ ...control, terminalId: "another" }),
    ]) {
      expect(await call().then(() => "ok", reasonOf)).toMatch(/^NotFound/);
    }
    const long = inspection.controlTerminal({ ...control, input: Buffer.alloc(1025) });
    expect(await long.then(() => "ok", reasonOf)).toMatch(/^InvalidArgument/);

    leave.abort();
    await seen;
    await eventually(() =>
      expect(agent.messages.at(-1)?.message).toMatchObject({
        case: "terminalClose",
        value: { terminalId: got.id },
      }),
    );
    expect(await audited(server, "terminal.opened")).toHaveLength(1);
    expect(await audited(server, "terminal.used")).toHaveLength(1);
  });

  test("is for editors, and ends with the host's reason", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await using world = await running(server);
    const { agent, inspection, pipelineId, nodeId, teamId } = world;
    const request = { pipelineId, nodeId, columns: 80, rows: 24 };
    const viewer = server.client(InspectionService, await newMemberToken(server, teamId, "VIEWER"));
    const refused = await Array.fromAsync(viewer.openTerminal(request)).catch(reasonOf);
    expect(refused).toMatch(/^PermissionDenied/);
    agent.onMessage = (message) => {
      if (message.case !== "terminalOpen") return;
      const { terminalId } = message.value;
      agent.send({
        case: "terminalOutput",
        value: { terminalId, closed: true, reason: "no key came for 10 minutes" },
      });
    };
    const parts = await Array.fromAsync(inspection.openTerminal(request));
    expect(parts.at(-1)?.endedReason).toBe("no key came for 10 minutes");
    agent.send({ case: "terminalOutput", value: { terminalId: "none", content: Buffer.of(1) } });
    await eventually(() =>
      expect(agent.messages.at(-1)?.message).toMatchObject({
        case: "terminalClose",
        value: { terminalId: "none" },
      }),
    );
  });
});

describe("SetRedaction", () => {
  test.each([
    ["look-around", "(?=a)b", "cannot be used"],
    ["what matches everything", "a*", "matches everything"],
    ["a pattern that is too long", "x".repeat(501), "at most 500 characters"],
  ])("refuses %s, which no host could use", async (_, pattern, problem) => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token, environmentId } = await setUp(server);
    const inspection = server.client(InspectionService, token);
    const redaction = { fieldGlobs: [], valuePatterns: [pattern] };
    const error = await inspection.setRedaction({ environmentId, redaction }).catch(reasonOf);
    expect(error).toMatch(/^InvalidArgument/);
    expect(error).toContain(problem);
  });
});
