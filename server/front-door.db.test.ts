import http from "node:http";
import { create, toJson, type DescMethodUnary } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { describe, expect, inject, test } from "vitest";
import { createLogger } from "#common/logger.ts";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { parseConfig } from "./config.ts";
import { userServices } from "./routes.ts";
import { eventually } from "./testing/eventually.ts";
import { FakeAgent } from "./testing/fake-agent.ts";
import { contentOfAllTables, openSql, seedNodes, seedReads } from "./testing/seed.ts";
import { adminPassword, setUp, startTestServer } from "./testing/test-server.ts";

const codeOf = (error: unknown): Code => ConnectError.from(error).code;

const unary = userServices.flatMap((service) =>
  service.methods.flatMap((method) =>
    method.methodKind === "unary"
      ? [{ path: `${service.typeName}/${method.name}`, method: method as DescMethodUnary }]
      : [],
  ),
);

describe("GET", () => {
  test("answers every read and changes nothing; what changes something is refused (S15)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token, environmentId, teamId } = await setUp(server);
    const pipelines = server.client(PipelineService, token);
    const { pipeline } = await pipelines.createPipeline({ environmentId, name: "P", yaml: "" });
    await using sql = await openSql(server.databaseUrl);
    await seedNodes(sql, environmentId, 1);
    const pipelineId = pipeline?.summary?.id ?? "";
    await seedReads(sql, pipelineId, environmentId);
    await sql.query(
      `insert into "Environment" ("id", "name", "teamId") values ('e2', 'Other', $1)`,
      [teamId],
    );
    const ids: Readonly<Record<string, string | number>> = {
      environmentId,
      teamId,
      nodeId: "n1",
      pipelineId,
      version: 1,
      vectorVersion: "0.58.0",
      targetEnvironmentId: "e2",
      format: 1,
    };
    const resource: Readonly<Record<string, string>> = {
      Environment: environmentId,
      Node: "n1",
      Pipeline: pipelineId,
      Sample: "sample",
    };
    const get = async (path: string, method: DescMethodUnary): Promise<number> => {
      const fields = method.input.fields.map(({ localName }) => [localName, ids[localName]]);
      const noun = /^(?:Get|Update|Delete|Preview|Deploy|Undeploy|Rollback)(\w+)$/.exec(
        method.name,
      )?.[1];
      const message = {
        ...Object.fromEntries(fields.filter(([, id]) => id !== undefined)),
        ...(method.input.fields.some(({ localName }) => localName === "id")
          ? { id: resource[noun ?? ""] ?? pipelineId }
          : {}),
      };
      const json = JSON.stringify(toJson(method.input, create(method.input, message)));
      const query = new URLSearchParams({ connect: "v1", encoding: "json", message: json });
      const response = await fetch(`${server.server.webUrl}/${path}?${query.toString()}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      await response.text();
      return response.status;
    };
    const before = await contentOfAllTables(sql);
    for (const { path, method } of unary) {
      const reads = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
      const status = await get(path, method);
      expect({ path, status }).toEqual({ path, status: reads ? 200 : 405 });
    }
    expect(await contentOfAllTables(sql)).toEqual(before);
  });
});

describe("every door", () => {
  test("has the same gates: Connect, gRPC-Web and gRPC alike (X10)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token, environmentId } = await setUp(server);
    await using sql = await openSql(server.databaseUrl);
    await seedNodes(sql, environmentId, 600);
    const baseUrl = server.server.webUrl;
    const doors = (bearer?: string): Transport[] => {
      const interceptors = [
        (next: (request: never) => Promise<never>) => (request: { header: Headers }) => {
          if (bearer !== undefined) request.header.set("authorization", `Bearer ${bearer}`);
          return next(request as never);
        },
      ] as never;
      return [
        server.transport(bearer),
        createGrpcWebTransport({ baseUrl, httpVersion: "1.1", interceptors }),
        createGrpcTransport({ baseUrl, interceptors }),
      ];
    };
    for (const transport of doors()) {
      const nodes = createClient(NodeService, transport);
      expect(await nodes.listNodes({ environmentId }).catch(codeOf)).toBe(Code.Unauthenticated);
    }
    for (const transport of doors(token)) {
      const nodes = createClient(NodeService, transport);
      const page = await nodes.listNodes({ environmentId, pageSize: 10_000 });
      expect(page.nodes).toHaveLength(500);
    }
    // The same person as a viewer of the team, and then as nobody.
    await sql.query(`update "User" set "isSuperAdmin" = false`);
    await sql.query(`update "TeamMember" set "role" = 'VIEWER'`);
    for (const transport of doors(token)) {
      const environments = createClient(EnvironmentService, transport);
      const refused = await environments.createEnrollmentToken({ environmentId }).catch(codeOf);
      expect(refused).toBe(Code.PermissionDenied);
    }
    await sql.query(`delete from "TeamMember"`);
    for (const transport of doors(token)) {
      const nodes = createClient(NodeService, transport);
      expect(await nodes.listNodes({ environmentId }).catch(codeOf)).toBe(Code.NotFound);
    }
  });

  test("stays shut while the database cannot say who is there (X9)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token, environmentId, enrollmentToken } = await setUp(server);
    await using agent = new FakeAgent(server.server.agentUrl, "host");
    await agent.enroll(enrollmentToken);
    await using sql = await openSql(server.databaseUrl);
    await sql.query(`alter table "Session" rename to "SessionAway"`);
    await sql.query(`alter table "VectorNode" rename to "VectorNodeAway"`);
    const nodes = server.client(NodeService, token);
    expect(await nodes.listNodes({ environmentId }).catch(codeOf)).toBe(Code.Internal);
    const login = { email: "admin@example.com", password: adminPassword };
    expect(await server.client(AuthService).login(login).catch(codeOf)).toBe(Code.Internal);
    await expect(agent.connect()).rejects.toMatchObject({ details: /try again later/ });
    await expect(agent.enroll(enrollmentToken)).rejects.toMatchObject({
      details: /try again later/,
    });
  });
});

describe("refusals", () => {
  test("of calls and tokens leave no row each in the audit (S13)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token, environmentId } = await setUp(server);
    await using sql = await openSql(server.databaseUrl);
    const rows = async (): Promise<number> =>
      (await sql.query<{ count: number }>(`select count(*)::int as "count" from "AuditLog"`))[0]
        ?.count ?? 0;
    const before = await rows();
    await using agent = new FakeAgent(server.server.agentUrl, "host");
    const nodes = server.client(NodeService, "vfs_wrong");
    for (let tries = 0; tries < 50; tries += 1) {
      await nodes.listNodes({ environmentId }).catch(() => {});
      await agent.enroll("vfe_wrong").catch(() => {});
      await agent.connect("vfn_wrong").catch(() => {});
    }
    // One of the address' enrollments; calls and sessions without an identity none.
    expect(await rows()).toBe(before + 1);
    await sql.query(`update "User" set "isSuperAdmin" = false`);
    await sql.query(`update "TeamMember" set "role" = 'VIEWER'`);
    const environments = server.client(EnvironmentService, token);
    for (let tries = 0; tries < 50; tries += 1) {
      await environments.createEnrollmentToken({ environmentId }).catch(() => {});
    }
    expect(await rows()).toBe(before + 1 + 5);
    for (let tries = 0; tries < 50; tries += 1) {
      const login = { email: `nobody${tries}@example.com`, password: "wrong" };
      await server
        .client(AuthService)
        .login(login)
        .catch(() => {});
    }
    // Twenty at once and twenty a minute, from one address.
    expect(await rows()).toBeLessThanOrEqual(before + 1 + 5 + 35);
  });
});

describe("addresses", () => {
  const hostile = [
    "http://a'b.example.com",
    "http://a`id`.example.com",
    "http://$(id).example.com",
    "http://a;id",
    'http://a"b',
    "http://a&b",
    "https://user:password@example.com/\nid",
  ];
  test.each(hostile)("%j is refused as an address of commands and links (X6)", (address) => {
    for (const key of ["VECTORFLOW_PUBLIC_URL", "VECTORFLOW_AGENT_PUBLIC_URL"]) {
      const parse = () => parseConfig({ [key]: address }).config;
      let used = "";
      try {
        const config = parse();
        used = config.publicUrl ?? config.agentPublicUrl ?? "";
      } catch (error) {
        expect((error as Error).message).toContain(key);
      }
      // Whatever is taken holds nothing that a shell reads.
      expect(used).toMatch(/^(https?:\/\/[A-Za-z0-9.:_-]+)?$/);
    }
  });

  test("of commands and links come from the configuration, never from the Host header (X6)", async () => {
    await using server = await startTestServer(inject("templateUrl"), {
      VECTORFLOW_PUBLIC_URL: "https://vectorflow.example.com",
      VECTORFLOW_AGENT_PUBLIC_URL: "https://agents.example.com:8443",
    });
    const { token, environmentId } = await setUp(server);
    const [host = "", port = ""] = server.server.listening.http.split(":");
    const body = await new Promise<string>((resolve, reject) => {
      const request = http.request(
        {
          host,
          port,
          method: "POST",
          path: "/vectorflow.v1.EnvironmentService/CreateEnrollmentToken",
          headers: {
            host: "evil.example.net",
            "x-forwarded-host": "evil.example.net",
            "content-type": "application/json",
            authorization: `Bearer ${token}`,
          },
        },
        (response) => {
          response
            .setEncoding("utf8")
            .toArray()
            .then((parts) => resolve(parts.join("")), reject);
        },
      );
      request.on("error", reject);
      request.end(JSON.stringify({ environmentId }));
    });
    const created = JSON.parse(body) as { enrollCommand: string; token: string };
    expect(created.token).toMatch(/^vfe_[A-Za-z0-9_-]+$/);
    expect(created.enrollCommand).toBe(
      `node agent/main.ts run --server https://agents.example.com:8443 --token ${created.token}`,
    );
    expect(created.enrollCommand).not.toMatch(/['"`$;&|<>\\\n]/);
  });
});

test("no password and no token is in a line of the server's log, at any level (X4)", async () => {
  const lines: string[] = [];
  const log = createLogger((line) => lines.push(line), "debug");
  await using server = await startTestServer(inject("templateUrl"), {}, log);
  const { token, enrollmentToken } = await setUp(server);
  const auth = server.client(AuthService);
  await auth.login({ email: "admin@example.com", password: "a wrong password" }).catch(() => {});
  await using agent = new FakeAgent(server.server.agentUrl, "host");
  const { nodeToken } = await agent.enroll(enrollmentToken);
  await agent.connect();
  await agent.enroll("vfe_not-a-token").catch(() => {});
  await agent.connect("vfn_not-a-token").catch(() => {});
  const all = lines.join("\n");
  expect(all).toContain("node enrolled");
  for (const secret of [token, enrollmentToken, nodeToken, adminPassword, "a wrong password"]) {
    expect(all).not.toContain(secret);
  }
  expect(all).not.toMatch(/vf[a-z]_not-a-token/);
});

test("a port in use is told at once, with its setting and what to do", async () => {
  await using server = await startTestServer(inject("templateUrl"));
  const { http, agents } = server.server.listening;
  for (const [setting, address] of [
    ["VECTORFLOW_HTTP_LISTEN", http],
    ["VECTORFLOW_AGENT_LISTEN", agents],
  ] as const) {
    const second = startTestServer(inject("templateUrl"), { [setting]: address });
    await expect(second).rejects.toThrow(
      `${address} is in use by another program: stop it, or set ${setting} to another port`,
    );
  }
});

test("the process, the database and the numbers of the server can be watched", async () => {
  await using server = await startTestServer(inject("templateUrl"));
  const { enrollmentToken } = await setUp(server);
  await using agent = new FakeAgent(server.server.agentUrl, "host");
  await agent.enroll(enrollmentToken);
  await agent.connect();
  const get = async (path: string): Promise<string> =>
    (await fetch(`${server.server.webUrl}/${path}`)).text();
  expect(await get("healthz")).toBe("ok\n");
  expect(await get("readyz")).toBe("ready\n");
  agent.heartbeat();
  const page = await eventually(async () => {
    const text = await get("metrics");
    expect(text).toContain("vectorflow_ingest_rows_total{");
    return text;
  });
  expect(page).toMatch(/^vectorflow_agent_sessions 1$/m);
  expect(page).toMatch(/^vectorflow_agent_messages_total\{direction="in",kind="heartbeat"\} 1$/m);
  for (const name of [
    "vectorflow_ingest_rows_total",
    "vectorflow_ingest_duration_seconds_bucket",
    "vectorflow_nodejs_eventloop_lag_seconds",
    "vectorflow_database_pool_connections",
  ]) {
    expect(page).toContain(`\n${name}`);
  }
});
