import type { DescMethod, DescMethodUnary, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, inject, test } from "vitest";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { LiveService } from "#gen/vectorflow/v1/live_service_pb.ts";
import { LogService } from "#gen/vectorflow/v1/log_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { userServices } from "../routes.ts";
import { eventually } from "../testing/eventually.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { openSql, seedNodes } from "../testing/seed.ts";
import { setUp, startTestServer } from "../testing/test-server.ts";
import { streamsPerUser } from "./stream-limit.ts";

const lists = userServices.flatMap((service) =>
  service.methods
    .filter((method: DescMethod) => method.name.startsWith("List"))
    .map((method) => ({ name: `${service.typeName}/${method.name}`, method })),
);

/** More rows of everything than any page may have. */
const rows = 1100;

type Many = (text: string, ...values: unknown[]) => Promise<unknown>;

/** Seeds every list with `rows` rows; returns the requests that lead to them. */
async function seedLists(databaseUrl: string, environmentId: string, teamId: string) {
  await using sql = await openSql(databaseUrl);
  const many: Many = (text, ...values) =>
    sql.query(`${text} from generate_series(1, ${rows}) i`, values);
  await seedNodes(sql, environmentId, rows);
  await many(
    `insert into "Environment" ("id", "name", "teamId") select 'e' || i, 'Environment ' || i, $1`,
    teamId,
  );
  await many(
    `insert into "Pipeline" ("id", "name", "environmentId", "yaml") select 'p' || i, 'Pipeline ' || i, $1, ''`,
    environmentId,
  );
  await many(
    `insert into "PipelineVersion" ("id", "pipelineId", "version", "configYaml", "contentHash", "sourceYaml",
       "createdById") select 'v' || i, 'p1', i, '', '', '', ''`,
  );
  await many(
    `insert into "PipelineLog" ("id", "timestamp", "nodeId", "pipelineId", "level", "message")
     select 'l' || i, now() - i * interval '1 s', 'n1', 'p1', 'INFO', 'line ' || i`,
  );
  await many(
    `insert into "AuditLog" ("id", "action", "entityType", "entityId", "environmentId", "metadata", "createdAt")
     select 'a' || i, 'node.enrollment_refused', 'VectorNode', '', $1, '{}', now() - i * interval '1 s'`,
    environmentId,
  );
  await seedPeople(many, teamId);
  // More than the use cases allow: here the pages are tested, not those bounds.
  await many(
    `insert into "Secret" ("id", "name", "environmentId", "encryptedValue") select 's' || i, 'name_' || i, $1, ''`,
    environmentId,
  );
  await many(
    `insert into "Template" ("id", "name", "teamId", "nodes", "edges") select 'x' || i, 'Template ' || i, $1, '[]', '[]'`,
    teamId,
  );
  await many(
    `insert into "VrlSnippet" ("id", "name", "teamId", "code") select 'y' || i, 'Snippet ' || i, $1, '.'`,
    teamId,
  );
  await many(
    `insert into "Variable" ("id", "name", "environmentId", "value") select 'w' || i, 'name_' || i, $1, 'x'`,
    environmentId,
  );
  await many(
    `insert into "Certificate" ("id", "name", "environmentId", "filename", "fileType", "encryptedData")
     select 'c' || i, 'name_' || i, $1, 'ca.pem', 'ca', ''`,
    environmentId,
  );
  await many(
    `insert into "EventSampleRequest" ("id", "pipelineId", "componentKeys", "createdAt", "expiresAt")
     select 'r' || i, 'p1', '[]', now() - i / 3 * interval '1 s', now()`,
  );
  await many(
    `insert into "ComponentSchema" ("id", "vectorVersion", "error", "requestedAt")
     select 'k' || i, '0.' || i / 3 || '.0' || (array['', '-beta', '-rc'])[i % 3 + 1], 'none', now()`,
  );
}

/** Teams, members of one of them, and what its first person has. Many rows share a moment. */
async function seedPeople(many: Many, teamId: string): Promise<void> {
  const first = `(select "id" from "User" order by "createdAt" limit 1)`;
  await many(`insert into "Team" ("id", "name") select 't' || i, 'Team ' || i / 3`);
  await many(
    `insert into "User" ("id", "email", "createdAt") select 'u' || i, 'person' || i || '@example.com', now() + interval '1 s'`,
  );
  await many(
    `insert into "TeamMember" ("id", "teamId", "userId", "role") select 'm' || i, $1, 'u' || i, 'VIEWER'`,
    teamId,
  );
  await many(
    `insert into "Session" ("id", "userId", "tokenHash", "lastUsedAt", "expiresAt")
     select 'i' || i, ${first}, 'session ' || i, now() - i / 3 * interval '1 s', now() + interval '1 h'`,
  );
  await many(
    `insert into "ApiToken" ("id", "name", "teamId", "userId", "role", "tokenHash", "hint", "createdAt")
     select 'h' || i, 'Token ' || i, $1, ${first}, 'VIEWER', 'token ' || i, 'vfa_', now() - i / 3 * interval '1 s'`,
    teamId,
  );
}

/** How to ask each list for what was seeded. A list that is not here fails the test: seed it, and add it. */
const requests: Readonly<Record<string, (environmentId: string, teamId: string) => object>> = {
  ListEnvironments: () => ({}),
  ListRefusedEnrollments: (environmentId) => ({ environmentId }),
  ListNodes: (environmentId) => ({ environmentId }),
  ListPipelines: (environmentId) => ({ environmentId }),
  ListVersions: () => ({ pipelineId: "p1" }),
  ListPipelineLogs: () => ({ pipelineId: "p1" }),
  ListNodeLogs: () => ({ nodeId: "n1" }),
  ListTeams: () => ({}),
  ListMembers: (_, teamId) => ({ teamId }),
  ListUsers: () => ({}),
  ListSessions: () => ({}),
  ListApiTokens: (_, teamId) => ({ teamId }),
  ListAuditEntries: () => ({}),
  ListSecrets: (environmentId) => ({ environmentId }),
  ListTemplates: (_, teamId) => ({ teamId }),
  ListSnippets: (_, teamId) => ({ teamId }),
  ListVariables: (environmentId) => ({ environmentId }),
  ListCertificates: (environmentId) => ({ environmentId }),
  ListSamples: () => ({ pipelineId: "p1" }),
  ListComponentSchemas: () => ({}),
};

interface Page {
  readonly ids: readonly string[];
  readonly next: string;
}

describe("every list", () => {
  test.each(lists)("$name declares its pages (S11)", ({ method }) => {
    const input = method.input.fields.map(({ name }) => name);
    expect(input).toEqual(expect.arrayContaining(["page_size", "page_token"]));
    expect(method.output.fields.map(({ name }) => name)).toContain("next_page_token");
    // The size that is allowed is told where clients look for it.
    expect(requests[method.name]).toBeDefined();
  });

  test("gives no more than a page, whatever size is asked for, and all of it page by page (S11)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token, environmentId, teamId } = await setUp(server);
    await seedLists(server.databaseUrl, environmentId, teamId);
    const transport = server.transport(token);
    const ask = async (method: DescMethod, request: object): Promise<Page> => {
      const { message } = await transport.unary(
        method as DescMethodUnary,
        undefined,
        undefined,
        {},
        request as never,
      );
      const response = message as Message & Record<string, unknown>;
      const entries = method.output.fields.find(({ fieldKind }) => fieldKind === "list");
      const list = response[entries?.localName ?? ""] as Record<string, unknown>[];
      const ids = list.map((entry) => entry["id"] ?? entry["userId"] ?? entry["vectorVersion"]);
      return { ids: ids.map(String), next: String(response["nextPageToken"]) };
    };
    for (const { name, method } of lists) {
      const request = requests[method.name]?.(environmentId, teamId) ?? {};
      const seen: string[] = [];
      let largest = 0;
      let pageToken = "";
      do {
        const page = await ask(method, { ...request, pageSize: 4_000_000_000, pageToken });
        largest = Math.max(largest, page.ids.length);
        seen.push(...page.ids);
        pageToken = page.next;
      } while (pageToken !== "");
      expect({ name, largest }).toEqual({ name, largest: expect.toSatisfy((n) => n <= 1000) });
      expect({
        name,
        seen: new Set(seen).size >= rows,
        twice: seen.length - new Set(seen).size,
      }).toEqual({ name, seen: true, twice: 0 });
      const refused = await ask(method, { ...request, pageToken: "bm9uc2Vuc2U" }).catch(
        (error: unknown) => ConnectError.from(error).code,
      );
      expect({ name, refused }).toEqual({ name, refused: Code.InvalidArgument });
    }
  });
});

test("a search looks through a bounded number of lines for each page, and can be gone on with (S11)", async () => {
  await using server = await startTestServer(inject("templateUrl"));
  const { token, environmentId } = await setUp(server);
  await using sql = await openSql(server.databaseUrl);
  await seedNodes(sql, environmentId, 1);
  await sql.query(
    `insert into "Pipeline" ("id", "name", "environmentId", "yaml") values ('p1', 'P', $1, '')`,
    [environmentId],
  );
  await sql.query(
    `insert into "PipelineLog" ("id", "timestamp", "nodeId", "pipelineId", "level", "message")
     select lpad(i::text, 6, '0'), now() - i * interval '10 ms', 'n1', 'p1', 'INFO',
       case when i = 20500 then 'the Needle' else 'hay' end from generate_series(1, 30000) i`,
  );
  const logs = server.client(LogService, token);
  const first = await logs.listPipelineLogs({ pipelineId: "p1", search: "needle" });
  expect(first.lines).toEqual([]);
  expect(first.nextPageToken).not.toBe("");
  const second = await logs.listPipelineLogs({
    pipelineId: "p1",
    search: "needle",
    pageToken: first.nextPageToken,
  });
  expect(second.lines).toMatchObject([{ text: "the Needle" }]);
  expect(second.nextPageToken).toBe("");
});

test("a person may hold so many streams and no more; one that ends makes room (S11)", async () => {
  await using server = await startTestServer(inject("templateUrl"));
  const { token, environmentId, enrollmentToken } = await setUp(server);
  await using agent = new FakeAgent(server.server.agentUrl, "host");
  await agent.enroll(enrollmentToken);
  await agent.connect();
  await eventually(() => expect(agent.desired).toHaveLength(1));
  const live = server.client(LiveService, token);
  const stop = new AbortController();
  const open = async (signal: AbortSignal) => {
    const messages = live.watch({ environmentId }, { signal })[Symbol.asyncIterator]();
    return (await messages.next()).value?.snapshot;
  };
  const one = new AbortController();
  expect(await open(one.signal)).toBe(true);
  const rest = Array.from({ length: streamsPerUser - 1 }, () => open(stop.signal));
  expect(new Set(await Promise.all(rest))).toEqual(new Set([true]));
  const refused = await open(stop.signal).catch((error: unknown) => ConnectError.from(error));
  expect(refused).toMatchObject({ code: Code.ResourceExhausted });
  // All these pages together ask the host nothing.
  expect(agent.messages.map(({ message }) => message.case)).toEqual(["welcome", "desiredState"]);
  one.abort();
  await eventually(async () => expect(await open(stop.signal)).toBe(true));
  stop.abort();
});

test("a tail tells exactly how many lines it left out", async () => {
  await using server = await startTestServer(inject("templateUrl"));
  const { token, environmentId } = await setUp(server);
  await using sql = await openSql(server.databaseUrl);
  await seedNodes(sql, environmentId, 1);
  const pipelines = server.client(PipelineService, token);
  const { pipeline } = await pipelines.createPipeline({ environmentId, name: "P", yaml: "" });
  const pipelineId = pipeline?.summary?.id ?? "";
  const write = (name: string, count: number): Promise<unknown> =>
    sql.query(
      `insert into "PipelineLog" ("id", "timestamp", "nodeId", "pipelineId", "level", "message")
       select $1 || i, now() + i * interval '1 us', 'n1', $2, 'INFO', 'line' from generate_series(1, $3::int) i`,
      [name, pipelineId, count],
    );
  const stop = new AbortController();
  const logs = server.client(LogService, token);
  const tails = [
    logs.tailPipelineLogs({ pipelineId }, { signal: stop.signal }),
    logs.tailNodeLogs({ nodeId: "n1" }, { signal: stop.signal }),
  ].map((stream) => stream[Symbol.asyncIterator]());
  await write("a", 10);
  const total = { shown: [0, 0], skipped: [0, 0] };
  const read = async (index: number, until: number): Promise<void> => {
    while ((total.shown[index] ?? 0) + (total.skipped[index] ?? 0) < until) {
      const { value } = (await tails[index]?.next()) ?? {};
      if (value === undefined) throw new Error("the tail ended");
      total.shown[index] = (total.shown[index] ?? 0) + value.lines.length;
      total.skipped[index] = (total.skipped[index] ?? 0) + Number(value.skippedLines);
    }
  };
  await Promise.all([read(0, 10), read(1, 10)]);
  expect(total.skipped).toEqual([0, 0]);
  // Each burst comes in one transaction, so that no reading sees half of it.
  await write("b", 1300);
  await Promise.all([read(0, 1310), read(1, 1310)]);
  await write("c", 700);
  await Promise.all([read(0, 2010), read(1, 2010)]);
  expect(total).toEqual({ shown: [1010, 1010], skipped: [1000, 1000] });
  stop.abort();
});

test("refused enrollments are shown to whose token it was, and unknown ones to super admins (X3)", async () => {
  await using server = await startTestServer(inject("templateUrl"));
  const { token, environmentId, enrollmentToken, teamId } = await setUp(server);
  const environments = server.client(EnvironmentService, token);
  const other = await environments.createEnvironment({ teamId, name: "Other" });
  const otherId = other.environment?.id ?? "";
  await environments.createEnrollmentToken({ environmentId });
  await using late = new FakeAgent(server.server.agentUrl, "late");
  await late.enroll(enrollmentToken).catch(() => {});
  const list = async (id: string) =>
    (await environments.listRefusedEnrollments({ environmentId: id })).refusals;
  await eventually(async () => {
    expect(await list(environmentId)).toMatchObject([
      { hostname: late.machineId, ipAddress: "127.0.0.1", reason: 2 },
    ]);
  });
  expect(await list(otherId)).toEqual([]);
  // The rate of refusals that are kept is for each address, and this one has had its row.
  await using sql = await openSql(server.databaseUrl);
  await sql.query(
    `insert into "AuditLog" ("id", "action", "entityType", "entityId", "metadata", "createdAt")
     values ('x', 'node.enrollment_refused', 'VectorNode', '', '{"host":"stranger","reason":"token_unknown"}', now())`,
  );
  expect(await list(otherId)).toMatchObject([{ hostname: "stranger", reason: 1 }]);
  await sql.query(`update "User" set "isSuperAdmin" = false`);
  expect(await list(otherId)).toEqual([]);
  expect(await list(environmentId)).toMatchObject([{ hostname: late.machineId }]);
});
