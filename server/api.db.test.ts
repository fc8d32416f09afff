import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { describe, expect, inject, test } from "vitest";
import {
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
  type ServerReflectionResponse,
} from "#gen/grpc/reflection/v1/reflection_pb.ts";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { adminPassword, setUp, startTestServer } from "./testing/test-server.ts";

const codeOf = (error: unknown): Code => ConnectError.from(error).code;

describe("the user API", () => {
  test("answers Connect, gRPC-Web and gRPC on one port", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const baseUrl = server.server.webUrl;
    const clients = [
      server.client(AuthService),
      createClient(AuthService, createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })),
      createClient(AuthService, createGrpcTransport({ baseUrl })),
    ];
    for (const client of clients) {
      expect(await client.getSetupState({})).toMatchObject({ setupRequired: true });
    }
  });

  test("tells a client without generated code its services, and answers one", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const client = new Client(new URL(server.server.webUrl).host, credentials.createInsecure());
    const ask = async (
      request: Parameters<typeof create<typeof ServerReflectionRequestSchema>>[1],
    ) => {
      const call = client.makeBidiStreamRequest(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        (message: Uint8Array) => Buffer.from(message),
        (bytes: Buffer) => fromBinary(ServerReflectionResponseSchema, bytes),
      );
      const answer = Promise.withResolvers<ServerReflectionResponse>();
      call.on("data", answer.resolve);
      call.on("error", answer.reject);
      call.write(
        toBinary(ServerReflectionRequestSchema, create(ServerReflectionRequestSchema, request)),
      );
      const response = await answer.promise;
      call.end();
      return response.messageResponse;
    };
    const list = await ask({ messageRequest: { case: "listServices", value: "" } });
    const names =
      list.case === "listServicesResponse" ? list.value.service.map(({ name }) => name) : [];
    expect(names).toContain("vectorflow.v1.PipelineService");
    const symbol = "vectorflow.v1.AuthService";
    const file = await ask({ messageRequest: { case: "fileContainingSymbol", value: symbol } });
    const files =
      file.case === "fileDescriptorResponse"
        ? file.value.fileDescriptorProto.map((bytes) =>
            fromBinary(FileDescriptorProtoSchema, bytes),
          )
        : [];
    const methods = files.flatMap(({ service }) => service.flatMap(({ method }) => method));
    expect(methods.map(({ name }) => name)).toContain("GetSetupState");
    const health = await new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(
        "/grpc.health.v1.Health/Check",
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        Buffer.alloc(0),
        (error: ServiceError | null, value?: Buffer) =>
          error === null && value !== undefined
            ? resolve(value)
            : reject(error ?? new Error("empty")),
      );
    });
    // Field 1, SERVING.
    expect([...health]).toEqual([8, 1]);
    client.close();
  });

  test("answers a malformed or oversize message with an error, and goes on", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const url = `${server.server.webUrl}/vectorflow.v1.AuthService/Login`;
    const post = (type: string, body: string | Uint8Array<ArrayBuffer>): Promise<Response> =>
      fetch(url, { method: "POST", headers: { "content-type": type }, body });
    const malformed = await post("application/proto", new Uint8Array([255, 255, 255]));
    expect(await malformed.json()).toMatchObject({
      message: expect.stringMatching(/^parse binary/),
    });
    expect((await post("application/json", "{")).status).toBe(400);
    const large = await post("application/json", JSON.stringify({ email: "x".repeat(9_000_000) }));
    expect(large.status).toBe(413);
    expect(await (await fetch(`${server.server.webUrl}/readyz`)).text()).toBe("ready\n");
  });

  test("refuses everyone without a session, and a bad token alike", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    for (const token of [undefined, "vfs_wrong"]) {
      const environments = server.client(EnvironmentService, token);
      const error = await environments.listEnvironments({}).catch((reason: unknown) => reason);
      expect(codeOf(error)).toBe(Code.Unauthenticated);
    }
  });

  test("ends open streams when it shuts down, in under five seconds", async () => {
    const server = await startTestServer(inject("templateUrl"));
    const { token, environmentId } = await setUp(server);
    const { LiveService } = await import("#gen/vectorflow/v1/live_service_pb.ts");
    const stream = server.client(LiveService, token).watch({ environmentId });
    const messages = stream[Symbol.asyncIterator]();
    expect((await messages.next()).value).toMatchObject({ snapshot: true, synced: true });
    const started = performance.now();
    const ended = (async () => {
      for (;;) if ((await messages.next()).done === true) return undefined;
    })().catch((reason: unknown) => codeOf(reason));
    await server[Symbol.asyncDispose]();
    expect(performance.now() - started).toBeLessThan(5000);
    expect(await ended).toBe(Code.Unavailable);
  });
});

describe("the first run", () => {
  test("needs the token of the log, and works once", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const auth = server.client(AuthService);
    const input = {
      email: "a@example.com",
      name: "A",
      password: adminPassword,
      teamName: "T",
      environmentName: "E",
    };
    const wrong = await auth.completeSetup({ ...input, setupToken: "vft_x" }).catch(codeOf);
    expect(wrong).toBe(Code.PermissionDenied);
    await setUp(server);
    const again = await auth.completeSetup({ ...input, setupToken: "vft_x" }).catch(codeOf);
    expect(again).toBe(Code.FailedPrecondition);
  });

  test("makes a demo pipeline that deploys cleanly", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const setupToken = new URL(server.server.setupUrl ?? "").searchParams.get("token") ?? "";
    const auth = server.client(AuthService);
    const { demoPipelineId } = await auth.completeSetup({
      setupToken,
      email: "a@example.com",
      name: "A",
      password: adminPassword,
      teamName: "T",
      environmentName: "E",
      createDemoPipeline: true,
    });
    const { sessionToken } = await auth.login({ email: "A@example.com", password: adminPassword });
    const pipelines = server.client(PipelineService, sessionToken);
    const { pipeline } = await pipelines.getPipeline({ id: demoPipelineId });
    expect(pipeline).toMatchObject({ problems: [], summary: { deployedVersion: 1, draft: false } });
  });
});

describe("signing in", () => {
  test("fails alike for every cause, and tells the audit why (X1)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await setUp(server);
    const auth = server.client(AuthService);
    const refusals = await Promise.all(
      [
        { email: "admin@example.com", password: "wrong password" },
        { email: "nobody@example.com", password: "wrong password" },
      ].map((input) =>
        auth.login(input).catch((reason: unknown) => ConnectError.from(reason).message),
      ),
    );
    expect(new Set(refusals).size).toBe(1);
    const rows = await server.server.deps.orm.em
      .fork()
      .execute<{ reason: string }[]>(
        `select "metadata" ->> 'reason' as reason from "AuditLog" where "action" = 'auth.sign_in_failed'`,
      );
    expect(rows.map(({ reason }) => reason).toSorted()).toEqual(["unknown_user", "wrong_password"]);
  });

  test("locks after ten failures, and the right password does not open it", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await setUp(server);
    const auth = server.client(AuthService);
    for (let index = 0; index < 10; index += 1) {
      await auth.login({ email: "admin@example.com", password: "wrong" }).catch(() => {});
    }
    const refused = await auth
      .login({ email: "admin@example.com", password: adminPassword })
      .catch(codeOf);
    expect(refused).toBe(Code.Unauthenticated);
  });

  test("gives a browser an HttpOnly cookie whose calls from other sites are refused", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    await setUp(server);
    const call = (path: string, body: object, headers: Record<string, string>): Promise<Response> =>
      fetch(`${server.server.webUrl}/vectorflow.v1.${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      });
    const login = { email: "admin@example.com", password: adminPassword };
    const signedIn = await call("AuthService/Login", login, {});
    const cookie = signedIn.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/HttpOnly; SameSite=Lax$/);
    const [pair = ""] = cookie.split(";");
    const own = await call(
      "AuthService/GetSession",
      {},
      { cookie: pair, "sec-fetch-site": "same-origin" },
    );
    expect(own.status).toBe(200);
    const foreign = await call(
      "AuthService/GetSession",
      {},
      { cookie: pair, "sec-fetch-site": "cross-site" },
    );
    expect(foreign.status).toBe(403);
    const bare = await call("AuthService/GetSession", {}, { cookie: pair });
    expect(bare.status).toBe(403);
  });

  test("ends with signing out, and signing out without a session succeeds (X2)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token } = await setUp(server);
    await server.client(AuthService, token).logout({});
    expect(await server.client(AuthService, token).getSession({}).catch(codeOf)).toBe(
      Code.Unauthenticated,
    );
    await server.client(AuthService, token).logout({});
  });
});

describe("pipelines", () => {
  const yaml = (interval: string): string => `sources:
  in:
    type: demo_logs
    format: json
    interval: ${interval}
sinks:
  out:
    type: blackhole
    inputs: [in]
`;

  test("deploys of one pipeline give consecutive versions, however many at once (S18)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token, environmentId } = await setUp(server);
    const pipelines = server.client(PipelineService, token);
    const { pipeline } = await pipelines.createPipeline({
      environmentId,
      name: "P",
      yaml: yaml("1"),
    });
    const id = pipeline?.summary?.id ?? "";
    await Promise.all(Array.from({ length: 20 }, () => pipelines.deployPipeline({ id })));
    const { versions } = await pipelines.listVersions({ pipelineId: id });
    expect(versions.map(({ version }) => version)).toEqual(
      Array.from({ length: 20 }, (_, i) => 20 - i),
    );
  });

  test("a draft that was saved meanwhile is not overwritten (S18)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token, environmentId } = await setUp(server);
    const pipelines = server.client(PipelineService, token);
    const { pipeline } = await pipelines.createPipeline({
      environmentId,
      name: "P",
      yaml: yaml("1"),
    });
    const id = pipeline?.summary?.id ?? "";
    const revision = pipeline?.revision ?? "";
    await pipelines.updatePipeline({ id, revision, yaml: yaml("2") });
    const late = await pipelines.updatePipeline({ id, revision, yaml: yaml("3") }).catch(codeOf);
    expect(late).toBe(Code.Aborted);
    const { pipeline: kept } = await pipelines.getPipeline({ id });
    expect(kept?.yaml).toBe(yaml("2"));
  });

  test("a draft with errors is refused, naming the component, and nothing is published (S16)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token, environmentId } = await setUp(server);
    const pipelines = server.client(PipelineService, token);
    const broken = yaml("1").replace("blackhole", "blackhoel");
    const { pipeline } = await pipelines.createPipeline({ environmentId, name: "P", yaml: broken });
    const id = pipeline?.summary?.id ?? "";
    const error = await pipelines.deployPipeline({ id }).catch((reason: unknown) => reason);
    expect(ConnectError.from(error).rawMessage).toMatch(/^out: .*did you mean blackhole\?$/);
    expect((await pipelines.listVersions({ pipelineId: id })).versions).toEqual([]);
  });

  test("going back to a version makes a new one and restores its text", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token, environmentId } = await setUp(server);
    const pipelines = server.client(PipelineService, token);
    const created = await pipelines.createPipeline({ environmentId, name: "P", yaml: yaml("1") });
    const id = created.pipeline?.summary?.id ?? "";
    await pipelines.deployPipeline({ id, changelog: "one" });
    const revision = created.pipeline?.revision ?? "";
    await pipelines.updatePipeline({ id, revision, yaml: yaml("2") });
    await pipelines.deployPipeline({ id, changelog: "two" });
    const { version } = await pipelines.rollbackPipeline({ id, version: 1 });
    expect(version).toMatchObject({ version: 3, current: true, changelog: "Back to version 1" });
    const { pipeline } = await pipelines.getPipeline({ id });
    expect(pipeline).toMatchObject({ yaml: yaml("1"), summary: { changed: false } });
  });

  test("names are unique without case, and a bad one says what is allowed", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token, environmentId } = await setUp(server);
    const pipelines = server.client(PipelineService, token);
    await pipelines.createPipeline({ environmentId, name: "Logs", yaml: "" });
    const taken = await pipelines
      .createPipeline({ environmentId, name: "LOGS", yaml: "" })
      .catch(codeOf);
    expect(taken).toBe(Code.AlreadyExists);
    const bad = await pipelines
      .createPipeline({ environmentId, name: "../x", yaml: "" })
      .catch(codeOf);
    expect(bad).toBe(Code.InvalidArgument);
  });

  test("a text over 5 MB, a YAML bomb and deep nesting are refused, and others are served", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token, environmentId } = await setUp(server);
    const pipelines = server.client(PipelineService, token);
    const { pipeline } = await pipelines.createPipeline({
      environmentId,
      name: "P",
      yaml: yaml("1"),
    });
    const id = pipeline?.summary?.id ?? "";
    const huge = await pipelines.previewPipeline({ id, yaml: "#".repeat(5_000_001) }).catch(codeOf);
    expect([Code.InvalidArgument, Code.ResourceExhausted]).toContain(huge);
    const bomb = ["a: &a [x,x,x,x,x,x,x,x,x]"];
    for (const [from, to] of ["ab", "bc", "cd", "de", "ef", "fg", "gh"].map((pair) =>
      pair.split(""),
    )) {
      bomb.push(`${to}: &${to} [${Array.from({ length: 9 }, () => `*${from}`).join()}]`);
    }
    const exploded = await pipelines.previewPipeline({ id, yaml: bomb.join("\n") });
    expect(exploded.problems.length).toBeGreaterThan(0);
    const nested = await pipelines.previewPipeline({ id, yaml: "[".repeat(200_000) });
    expect(nested.problems.length).toBeGreaterThan(0);
    expect((await pipelines.previewPipeline({ id, yaml: yaml("1") })).problems).toEqual([]);
  });

  test("every change leaves one row in the audit, and no password or token is in it (X8)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token, environmentId, enrollmentToken } = await setUp(server);
    const pipelines = server.client(PipelineService, token);
    const { pipeline } = await pipelines.createPipeline({
      environmentId,
      name: "P",
      yaml: yaml("1"),
    });
    const id = pipeline?.summary?.id ?? "";
    await pipelines.deployPipeline({ id });
    await pipelines.undeployPipeline({ id });
    await pipelines.deletePipeline({ id });
    const rows = await server.server.deps.orm.em
      .fork()
      .execute<{ action: string; text: string }[]>(
        `select "action", "AuditLog"::text as "text" from "AuditLog" order by "createdAt", "action"`,
      );
    expect(rows.map(({ action }) => action).toSorted()).toEqual([
      "auth.signed_in",
      "environment.created",
      "environment.enrollment_token_created",
      "pipeline.created",
      "pipeline.deleted",
      "pipeline.deployed",
      "pipeline.undeployed",
      "setup.completed",
    ]);
    const all = rows.map(({ text }) => text).join("\n");
    for (const secret of [adminPassword, token, enrollmentToken]) expect(all).not.toContain(secret);
  });

  test("nothing of an unknown environment or node is told apart from another team's (X3)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token } = await setUp(server);
    const missing = await server
      .client(NodeService, token)
      .getNode({ id: "missing" })
      .catch(codeOf);
    expect(missing).toBe(Code.NotFound);
  });
});
