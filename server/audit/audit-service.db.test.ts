import { ConnectError } from "@connectrpc/connect";
import { describe, expect, inject, test } from "vitest";
import { ApiTokenService } from "#gen/vectorflow/v1/api_token_service_pb.ts";
import { AuditService, ExportFormat } from "#gen/vectorflow/v1/audit_service_pb.ts";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { ProfileService } from "#gen/vectorflow/v1/profile_service_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { SettingsService } from "#gen/vectorflow/v1/settings_service_pb.ts";
import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";
import { UserService } from "#gen/vectorflow/v1/user_service_pb.ts";
import { totpCode } from "../auth/totp.ts";
import { addPerson } from "../testing/people.ts";
import { adminPassword, setUp, startTestServer, type TestServer } from "../testing/test-server.ts";

async function collect(
  test: TestServer,
  token: string,
  request: { format: ExportFormat; filter?: { action: string } },
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const { chunk } of test.client(AuditService, token).exportAuditEntries(request)) {
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

describe("the audit", () => {
  test("is read a page at a time, and filtered by what people ask for", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const admin = await setUp(server);
    const teams = server.client(TeamService, admin.token);
    for (let n = 0; n < 5; n += 1) await teams.updateTeam({ id: admin.teamId, name: `Team ${n}` });
    const audit = server.client(AuditService, admin.token);
    const first = await audit.listAuditEntries({ pageSize: 3, filter: { action: "team." } });
    expect(first.entries.map(({ changes }) => changes[0]?.afterJson)).toEqual([
      '"Team 4"',
      '"Team 3"',
      '"Team 2"',
    ]);
    const rest = await audit.listAuditEntries({
      pageSize: 3,
      pageToken: first.nextPageToken,
      filter: { action: "team." },
    });
    expect(rest.entries).toHaveLength(2);
    expect(rest.nextPageToken).toBe("");
    const count = async (filter: Parameters<typeof audit.listAuditEntries>[0]["filter"]) =>
      (await audit.listAuditEntries({ filter: filter ?? {} })).entries.length;
    expect(await count({ action: "team.updated", search: "team 4" })).toBe(1);
    expect(await count({ entityType: "Environment", environmentId: admin.environmentId })).toBe(2);
    expect(await count({ user: "ADMIN@" })).toBeGreaterThan(5);
    expect(await count({ user: "%" })).toBe(0);
    expect(await count({ startTime: { seconds: 4_000_000_000n, nanos: 0 } })).toBe(0);
    const everything = await audit.listAuditEntries({});
    expect(everything.entries.every(({ ipAddress }) => ipAddress === "127.0.0.1")).toBe(true);
  });

  test("shows an admin the rows of their teams, and nothing of others is countable (X3)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const admin = await setUp(server);
    const { team } = await server.client(TeamService, admin.token).createTeam({ name: "Security" });
    const foreign = await addPerson(server, admin.token, "eve@example.com", {
      team: { id: team?.id ?? "", role: Role.ADMIN },
    });
    const viewer = await addPerson(server, admin.token, "vic@example.com", {
      team: { id: admin.teamId, role: Role.VIEWER },
    });
    const seen = async (token: string, teamId = "") =>
      (await server.client(AuditService, token).listAuditEntries({ filter: { teamId } })).entries;
    expect(new Set((await seen(foreign.token)).map(({ teamId }) => teamId))).toEqual(
      new Set([team?.id]),
    );
    expect(await seen(foreign.token, admin.teamId)).toEqual([]);
    expect(await seen(foreign.token, "no-such-team")).toEqual([]);
    expect(await seen(viewer.token)).toEqual([]);
    expect(await collect(server, viewer.token, { format: ExportFormat.JSON_LINES })).toBe("");
  });

  test("is exported whole, in both forms, the oldest first", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const admin = await setUp(server);
    const teams = server.client(TeamService, admin.token);
    await teams.updateTeam({ id: admin.teamId, name: "=1+1" });
    const lines = (await collect(server, admin.token, { format: ExportFormat.JSON_LINES }))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { sequence: number; action: string });
    expect(lines.map(({ sequence }) => sequence)).toEqual(lines.map((_, index) => index + 1));
    expect(lines[0]?.action).toBe("setup.completed");
    const filter = { action: "team.updated" };
    const csv = await collect(server, admin.token, { format: ExportFormat.CSV, filter });
    expect(csv.split("\r\n").filter(Boolean)).toHaveLength(2);
  });

  test("tells the client's address through trusted proxies only", async () => {
    await using server = await startTestServer(inject("templateUrl"), {
      VECTORFLOW_TRUSTED_PROXIES: "127.0.0.0/8",
    });
    const admin = await setUp(server);
    const wrong = { email: "admin@example.com", password: "no" };
    const headers = { "x-forwarded-for": "6.6.6.6, 198.51.100.4" };
    await server
      .client(AuthService)
      .login(wrong, { headers })
      .catch((thrown: unknown) => ConnectError.from(thrown));
    const { entries } = await server
      .client(AuditService, admin.token)
      .listAuditEntries({ filter: { action: "auth.sign_in_failed" } });
    expect(entries.map(({ ipAddress }) => ipAddress)).toEqual(["198.51.100.4"]);
  });

  test("records each change in one row, with its team and environment (X8)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const admin = await setUp(server);
    await server
      .client(EnvironmentService, admin.token)
      .createEnvironment({ teamId: admin.teamId, name: "Staging" });
    const { entries } = await server
      .client(AuditService, admin.token)
      .listAuditEntries({ filter: { action: "environment.created", search: "Staging" } });
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({ teamId: admin.teamId, userEmail: "admin@example.com" });
    expect(entries[0]?.environmentId).not.toBe("");
  });

  test("holds no secret that was ever used: passwords, tokens, codes, keys (X4)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const admin = await setUp(server);
    const secrets: string[] = [adminPassword, admin.token, admin.enrollmentToken];
    const users = server.client(UserService, admin.token);
    const made = await users.createUser({ email: "a@example.com", name: "A" });
    const reset = await users.resetPassword({ id: made.user?.id ?? "" });
    secrets.push(made.temporaryPassword, reset.temporaryPassword);
    const person = await addPerson(server, admin.token, "p@example.com", {
      team: { id: admin.teamId, role: Role.ADMIN },
    });
    secrets.push(person.password, person.token);
    const api = await server
      .client(ApiTokenService, person.token)
      .createApiToken({ teamId: admin.teamId, name: "ci", role: Role.VIEWER });
    secrets.push(api.token);
    const profile = server.client(ProfileService, person.token);
    const begun = await profile.beginSecondFactor({ currentPassword: person.password });
    const code = totpCode(begun.secret, new Date());
    const { backupCodes } = await profile.confirmSecondFactor({ code });
    secrets.push(begun.secret, ...backupCodes);
    const settings = { enabled: true, issuer: "https://id.example.com", clientId: "vectorflow" };
    const clientSecret = "between us and the provider";
    await server
      .client(SettingsService, admin.token)
      .updateAuthenticationSettings({ settings, clientSecret });
    secrets.push(clientSecret);
    const guess = "a wrong password that somebody typed";
    const login = server.client(AuthService).login({ email: person.email, password: guess });
    await login.catch((thrown: unknown) => ConnectError.from(thrown));
    secrets.push(guess);
    const text = await collect(server, admin.token, { format: ExportFormat.JSON_LINES });
    expect(text.split("\n").length).toBeGreaterThan(12);
    expect(secrets.filter((secret) => secret === "" || text.includes(secret))).toEqual([]);
  });
});
