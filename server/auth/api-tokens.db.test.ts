import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, inject, test } from "vitest";
import { ApiTokenService } from "#gen/vectorflow/v1/api_token_service_pb.ts";
import { AuditService } from "#gen/vectorflow/v1/audit_service_pb.ts";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { LiveService } from "#gen/vectorflow/v1/live_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";
import { UserService } from "#gen/vectorflow/v1/user_service_pb.ts";
import { addPerson } from "../testing/people.ts";
import { setUp, startTestServer } from "../testing/test-server.ts";

async function start() {
  const server = await startTestServer(inject("templateUrl"));
  const admin = await setUp(server);
  const create = async (token: string, role: Role, teamId = admin.teamId) =>
    server.client(ApiTokenService, token).createApiToken({ teamId, name: "ci", role });
  return { server, admin, create, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const codeOf = (call: Promise<unknown>): Promise<Code | undefined> =>
  call.then(
    () => undefined,
    (thrown: unknown) => ConnectError.from(thrown).code,
  );

describe("an API token", () => {
  test("works by Connect and gRPC in its team with its role, and is written into the audit", async () => {
    await using world = await start();
    const { server, admin } = world;
    const { team } = await server.client(TeamService, admin.token).createTeam({ name: "Other" });
    const other = await server
      .client(EnvironmentService, admin.token)
      .createEnvironment({ teamId: team?.id ?? "", name: "Other" });
    const { token, apiToken } = await world.create(admin.token, Role.EDITOR);
    expect(token).toMatch(/^vfa_/);
    expect(apiToken?.hint).toBe(token.slice(0, 8));
    const listed = await server.client(EnvironmentService, token).listEnvironments({});
    expect(listed.environments.map(({ id, role }) => [id, role])).toEqual([
      [admin.environmentId, Role.EDITOR],
    ]);
    const grpc = createClient(
      PipelineService,
      createGrpcTransport({ baseUrl: server.server.webUrl }),
    );
    const headers = { authorization: `Bearer ${token}` };
    const { environmentId } = admin;
    const yaml = "sources:\n  in:\n    type: demo_logs\n    format: json\n";
    await grpc.createPipeline({ environmentId, name: "from ci", yaml }, { headers });
    const foreign = other.environment?.id ?? "";
    const elsewhere = grpc.createPipeline({ environmentId: foreign, name: "x", yaml }, { headers });
    expect(await codeOf(elsewhere)).toBe(Code.NotFound);
    expect(
      await codeOf(
        server.client(EnvironmentService, token).createEnrollmentToken({ environmentId }),
      ),
    ).toBe(Code.PermissionDenied);
    const { entries } = await server
      .client(AuditService, admin.token)
      .listAuditEntries({ filter: { action: "pipeline.created" } });
    expect(entries[0]?.metadataJson).toContain(`"apiTokenName":"ci"`);
    const shown = await server.client(ApiTokenService, admin.token).listApiTokens(admin);
    expect(shown.tokens[0]?.lastUsedTime).toBeDefined();
  });

  test("has no gate or right that its maker has not (X10)", async () => {
    await using world = await start();
    const { server, admin } = world;
    const editor = await addPerson(server, admin.token, "ed@example.com", {
      team: { id: admin.teamId, role: Role.EDITOR },
    });
    expect(await codeOf(world.create(editor.token, Role.ADMIN))).toBe(Code.InvalidArgument);
    const { token } = await world.create(editor.token, Role.EDITOR);
    // It cannot act as a person: no profile, no session, no tokens of its own, no accounts.
    expect(await codeOf(world.create(token, Role.VIEWER))).toBe(Code.PermissionDenied);
    expect(await codeOf(server.client(AuthService, token).getSession({}))).toBe(
      Code.PermissionDenied,
    );
    const admins = await world.create(admin.token, Role.ADMIN);
    expect(await codeOf(server.client(UserService, admins.token).listUsers({}))).toBe(
      Code.PermissionDenied,
    );
    // A lower role of its maker lowers it at once.
    await server
      .client(TeamService, admin.token)
      .updateMember({ teamId: admin.teamId, userId: editor.id, role: Role.VIEWER });
    const { environments } = await server.client(EnvironmentService, token).listEnvironments({});
    expect(environments[0]?.role).toBe(Role.VIEWER);
  });

  test("dies with a lock, a reset, a removal, its end or its revocation, streams too (X2)", async () => {
    await using world = await start();
    const { server, admin } = world;
    const editor = await addPerson(server, admin.token, "ed@example.com", {
      team: { id: admin.teamId, role: Role.EDITOR },
    });
    const { token, apiToken } = await world.create(editor.token, Role.EDITOR);
    const works = () => codeOf(server.client(EnvironmentService, token).listEnvironments({}));
    const users = server.client(UserService, admin.token);
    await users.updateUser({ id: editor.id, locked: true });
    expect(await works()).toBe(Code.Unauthenticated);
    await users.updateUser({ id: editor.id, locked: false });
    expect(await works()).toBeUndefined();
    await users.resetPassword({ id: editor.id });
    expect(await works()).toBe(Code.PermissionDenied);

    const mine = await world.create(admin.token, Role.VIEWER);
    const watch = server
      .client(LiveService, mine.token)
      .watch({ environmentId: admin.environmentId });
    const iterator = watch[Symbol.asyncIterator]();
    await iterator.next();
    const tokens = server.client(ApiTokenService, admin.token);
    await tokens.revokeApiToken({ teamId: admin.teamId, id: mine.apiToken?.id ?? "" });
    const ended = async (): Promise<unknown> => {
      for (;;) if ((await iterator.next()).done === true) return undefined;
    };
    await expect(ended()).rejects.toMatchObject({ code: Code.Unauthenticated });

    await server
      .client(TeamService, admin.token)
      .removeMember({ teamId: admin.teamId, userId: editor.id });
    expect(await works()).toBe(Code.Unauthenticated);
    const past = { seconds: 1n, nanos: 0 };
    const expired = tokens.createApiToken({
      teamId: admin.teamId,
      name: "old",
      role: Role.VIEWER,
      expireTime: past,
    });
    expect(await codeOf(expired)).toBe(Code.InvalidArgument);
    const elsewhere = { teamId: admin.teamId, id: apiToken?.id ?? "" };
    await tokens.revokeApiToken(elsewhere);
    expect(await codeOf(tokens.revokeApiToken(elsewhere))).toBe(Code.NotFound);
  });

  test("is seen and revoked by its maker and the admins, and by nobody else", async () => {
    await using world = await start();
    const { server, admin } = world;
    const viewer = await addPerson(server, admin.token, "vic@example.com", {
      team: { id: admin.teamId, role: Role.VIEWER },
    });
    const ofAdmin = await world.create(admin.token, Role.ADMIN);
    const ofViewer = await world.create(viewer.token, Role.VIEWER);
    const asViewer = server.client(ApiTokenService, viewer.token);
    const { tokens } = await asViewer.listApiTokens({ teamId: admin.teamId });
    expect(tokens.map(({ id }) => id)).toEqual([ofViewer.apiToken?.id]);
    const foreign = { teamId: admin.teamId, id: ofAdmin.apiToken?.id ?? "" };
    expect(await codeOf(asViewer.revokeApiToken(foreign))).toBe(Code.NotFound);
    const all = await server.client(ApiTokenService, admin.token).listApiTokens(admin);
    expect(all.tokens).toHaveLength(2);
  });
});
