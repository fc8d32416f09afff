import { ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import pg from "pg";
import { describe, expect, inject, test } from "vitest";
import { ApiTokenService } from "#gen/vectorflow/v1/api_token_service_pb.ts";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { ErrorInfoSchema } from "#gen/vectorflow/v1/error_pb.ts";
import { LiveService } from "#gen/vectorflow/v1/live_service_pb.ts";
import { ProfileService } from "#gen/vectorflow/v1/profile_service_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";
import { UserService } from "#gen/vectorflow/v1/user_service_pb.ts";
import { startServer } from "../server.ts";
import { addPerson, type TestPerson } from "../testing/people.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";
import { totpCode } from "./totp.ts";

const stepMs = 30_000;

async function start() {
  const server = await startTestServer(inject("templateUrl"));
  const admin = await setUp(server);
  return { server, admin, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => ConnectError.from(thrown),
  );
  return error?.findDetails(ErrorInfoSchema)[0]?.reason ?? String(error?.code);
}

/** Sets up an authenticator app. The first code is of the step before, so that later ones still work. */
async function enable(
  server: TestServer,
  person: TestPerson,
): Promise<{ secret: string; backupCodes: string[] }> {
  const profile = server.client(ProfileService, person.token);
  const { secret } = await profile.beginSecondFactor({ currentPassword: person.password });
  const code = totpCode(secret, new Date(Date.now() - stepMs));
  const { user, backupCodes } = await profile.confirmSecondFactor({ code });
  expect(user).toMatchObject({ secondFactor: true, backupCodesLeft: 10 });
  return { secret, backupCodes };
}

describe("a second factor", () => {
  test("is asked for after the password, and a code never works twice, on any replica", async () => {
    await using world = await start();
    const { server, admin } = world;
    const anna = await addPerson(server, admin.token, "anna@example.com");
    const { secret } = await enable(server, anna);
    const login = (code: string) =>
      server.client(AuthService).login({ email: anna.email, password: anna.password, code });
    expect(await refusal(login(""))).toBe("second_factor_needed");
    const wrongPassword = { email: anna.email, password: "wrong", code: "" };
    expect(await refusal(server.client(AuthService).login(wrongPassword))).toBe("sign_in_refused");
    const code = totpCode(secret, new Date());
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => refusal(login(code))));
    expect(outcomes.toSorted()).toEqual([
      "second_factor_wrong",
      "second_factor_wrong",
      "second_factor_wrong",
      "undefined",
    ]);
    const next = totpCode(secret, new Date(Date.now() + stepMs));
    expect((await login(next)).user?.secondFactor).toBe(true);
    expect(await refusal(login(code))).toBe("second_factor_wrong");
  });

  test("has ten backup codes that work once each, and new ones replace them", async () => {
    await using world = await start();
    const { server, admin } = world;
    const anna = await addPerson(server, admin.token, "anna@example.com");
    const { backupCodes } = await enable(server, anna);
    expect(backupCodes).toHaveLength(10);
    const login = (code = "") =>
      server.client(AuthService).login({ email: anna.email, password: anna.password, code });
    expect((await login(backupCodes[0])).user?.backupCodesLeft).toBe(9);
    expect(await refusal(login(backupCodes[0]))).toBe("second_factor_wrong");
    const profile = server.client(ProfileService, anna.token);
    const fresh = await profile.createBackupCodes({ code: backupCodes[1] ?? "" });
    expect(await refusal(login(backupCodes[2]))).toBe("second_factor_wrong");
    expect((await login(fresh.backupCodes[2])).user?.backupCodesLeft).toBe(9);
  });

  test("cannot be guessed: ten wrong codes lock", async () => {
    await using world = await start();
    const { server, admin } = world;
    const anna = await addPerson(server, admin.token, "anna@example.com");
    const { backupCodes } = await enable(server, anna);
    const login = (code = "") =>
      server.client(AuthService).login({ email: anna.email, password: anna.password, code });
    for (let n = 0; n < 10; n += 1) expect(await refusal(login("000000"))).toMatch(/wrong/);
    expect(await refusal(login(backupCodes[0]))).toBe("sign_in_refused");
  });

  test("is unreadable in the database, and so are its backup codes", async () => {
    await using world = await start();
    const { server, admin } = world;
    const anna = await addPerson(server, admin.token, "anna@example.com");
    const { secret, backupCodes } = await enable(server, anna);
    const client = new pg.Client({ connectionString: server.databaseUrl });
    await client.connect();
    const { rows } = await client.query<{ row: string }>(
      `select "User"::text as row from "User" union all select "AuditLog"::text from "AuditLog"`,
    );
    await client.end();
    const stored = rows.map(({ row }) => row).join("\n");
    expect([secret, ...backupCodes].filter((text) => stored.includes(text))).toEqual([]);
    expect(stored).toContain("v1.");
  });

  test("lets nobody in when the key that it is encrypted with is gone, and says so (X9)", async () => {
    await using world = await start();
    const { server, admin } = world;
    const anna = await addPerson(server, admin.token, "anna@example.com");
    const { secret } = await enable(server, anna);
    const { config, log } = server.server.deps;
    const other = { ...config, secret: "another secret of forty characters, not it" };
    await using replica = await startServer(other, log);
    const transport = createConnectTransport({ baseUrl: replica.webUrl, httpVersion: "1.1" });
    const code = totpCode(secret, new Date());
    const credentials = { email: anna.email, password: anna.password, code };
    const auth = createClient(AuthService, transport);
    expect(await refusal(auth.login(credentials))).toBe("cannot_decrypt");
    await expect(auth.login(credentials)).rejects.toThrow(/VECTORFLOW_SECRET/);
    await server.client(AuthService).login(credentials);
  });

  test("is turned off with password and code, or by a super admin for who lost it", async () => {
    await using world = await start();
    const { server, admin } = world;
    const anna = await addPerson(server, admin.token, "anna@example.com");
    const first = await enable(server, anna);
    const profile = server.client(ProfileService, anna.token);
    const off = { currentPassword: anna.password, code: first.backupCodes[0] ?? "" };
    expect(await refusal(profile.disableSecondFactor({ ...off, code: "000000" }))).toBe(
      "code_wrong",
    );
    expect(await refusal(profile.disableSecondFactor({ ...off, currentPassword: "x" }))).toBe(
      "password_wrong",
    );
    await profile.disableSecondFactor(off);
    await server.client(AuthService).login({ email: anna.email, password: anna.password });
    await enable(server, anna);
    await server.client(UserService, admin.token).resetSecondFactor({ id: anna.id });
    await server.client(AuthService).login({ email: anna.email, password: anna.password });
  });
});

describe("a team that requires a second factor", () => {
  test("closes every way in for members without one, until they have it (X2)", async () => {
    await using world = await start();
    const { server, admin } = world;
    const { teamId, environmentId } = admin;
    const anna = await addPerson(server, admin.token, "anna@example.com", {
      team: { id: teamId, role: Role.EDITOR },
    });
    const { token: apiToken } = await server
      .client(ApiTokenService, anna.token)
      .createApiToken({ teamId, name: "ci", role: Role.VIEWER });
    const watch = server.client(LiveService, anna.token).watch({ environmentId });
    const iterator = watch[Symbol.asyncIterator]();
    await iterator.next();
    const adminsOwn = await addPerson(server, admin.token, "root@example.com", {
      superAdmin: true,
    });
    await server
      .client(TeamService, adminsOwn.token)
      .updateTeam({ id: teamId, requireSecondFactor: true });
    const ended = async (): Promise<unknown> => {
      for (;;) if ((await iterator.next()).done === true) return undefined;
    };
    expect(await refusal(ended())).toBe("second_factor_required");
    const list = (token: string) => server.client(EnvironmentService, token).listEnvironments({});
    expect(await refusal(list(anna.token))).toBe("second_factor_required");
    expect(await refusal(list(apiToken))).toBe("second_factor_required");
    const again = await server
      .client(AuthService)
      .login({ email: anna.email, password: anna.password });
    expect(again.user?.mustSetUpSecondFactor).toBe(true);
    expect(await refusal(list(again.sessionToken))).toBe("second_factor_required");
    const { backupCodes } = await enable(server, { ...anna, token: again.sessionToken });
    await list(anna.token);
    await list(apiToken);
    const profile = server.client(ProfileService, anna.token);
    const off = { currentPassword: anna.password, code: backupCodes[0] ?? "" };
    expect(await refusal(profile.disableSecondFactor(off))).toBe("second_factor_required");
    // The code was not used up by the call that was refused.
    await profile.disableSecondFactor(off).catch(() => {});
    const { user } = await server.client(AuthService, anna.token).getSession({});
    expect(user).toMatchObject({ secondFactor: true, backupCodesLeft: 10 });
  });
});
