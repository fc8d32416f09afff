import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { describe, expect, inject, test } from "vitest";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { ErrorInfoSchema } from "#gen/vectorflow/v1/error_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { LiveService } from "#gen/vectorflow/v1/live_service_pb.ts";
import { ProfileService } from "#gen/vectorflow/v1/profile_service_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";
import { UserService } from "#gen/vectorflow/v1/user_service_pb.ts";
import { startServer } from "../server.ts";
import { openPool } from "../testing/database.ts";
import { eventually } from "../testing/eventually.ts";
import { addPerson } from "../testing/people.ts";
import { adminPassword, setUp, startTestServer } from "../testing/test-server.ts";

async function start() {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startTestServer(inject("templateUrl")));
  const admin = await setUp(server);
  const pool = openPool(server.databaseUrl, 2);
  stack.defer(() => pool.end());
  const query = async <T>(sql: string, values: unknown[] = []): Promise<T[]> =>
    (await pool.query(sql, values)).rows as T[];
  return { server, admin, query, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** The reason that a call is refused with. */
async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => ConnectError.from(thrown),
  );
  return error?.findDetails(ErrorInfoSchema)[0]?.reason ?? String(error?.code);
}

describe("accounts", () => {
  test("begin with a temporary password that opens nothing but its change (X2)", async () => {
    await using world = await start();
    const { server, admin } = world;
    const users = server.client(UserService, admin.token);
    const { user, temporaryPassword } = await users.createUser({
      email: "Anna@Example.com",
      name: "Anna",
    });
    expect(user).toMatchObject({ email: "anna@example.com", mustChangePassword: true });
    const auth = server.client(AuthService);
    const session = await auth.login({ email: "anna@example.com", password: temporaryPassword });
    expect(session.user?.mustChangePassword).toBe(true);
    const token = session.sessionToken;
    const environments = server.client(EnvironmentService, token);
    expect(await refusal(environments.listEnvironments({}))).toBe("password_change_required");
    const profile = server.client(ProfileService, token);
    expect(await refusal(profile.updateProfile({ name: "A" }))).toBe("password_change_required");
    expect(await server.client(AuthService, token).getSession({})).toMatchObject({
      user: { mustChangePassword: true },
    });
    const own = { currentPassword: temporaryPassword, newPassword: "a password of my own" };
    expect(await refusal(profile.changePassword({ ...own, newPassword: temporaryPassword }))).toBe(
      "invalid_request",
    );
    const changed = await profile.changePassword(own);
    expect(changed.user?.mustChangePassword).toBe(false);
    // The session has a new token; the one before is dead.
    expect(await refusal(environments.listEnvironments({}))).toBe("sign_in_required");
    await server.client(EnvironmentService, changed.sessionToken).listEnvironments({});
  });

  test("are unique whatever the case, and tell what is wrong with a request", async () => {
    await using world = await start();
    const users = world.server.client(UserService, world.admin.token);
    const again = users.createUser({ email: "ADMIN@example.com", name: "Second" });
    expect(await refusal(again)).toBe("email_taken");
    expect(await refusal(users.createUser({ email: "nobody", name: "" }))).toBe("invalid_request");
  });

  test("are listed by e-mail, page by page, and found by a part of them", async () => {
    await using world = await start();
    const users = world.server.client(UserService, world.admin.token);
    for (const email of ["c@example.com", "b@example.com", "100%@example.com"]) {
      await users.createUser({ email, name: email });
    }
    const first = await users.listUsers({ pageSize: 2 });
    const second = await users.listUsers({ pageSize: 2, pageToken: first.nextPageToken });
    expect([...first.users, ...second.users].map(({ email }) => email)).toEqual([
      "100%@example.com",
      "admin@example.com",
      "b@example.com",
      "c@example.com",
    ]);
    expect(second.nextPageToken).toBe("");
    const found = await users.listUsers({ search: "%@" });
    expect(found.users.map(({ email }) => email)).toEqual(["100%@example.com"]);
  });

  test("of oneself cannot be locked, demoted, reset or deleted, and the last super admin stays", async () => {
    await using world = await start();
    const { server, admin } = world;
    const users = server.client(UserService, admin.token);
    const me = (await server.client(AuthService, admin.token).getSession({})).user?.id ?? "";
    expect(await refusal(users.updateUser({ id: me, locked: true }))).toBe("not_yourself");
    expect(await refusal(users.updateUser({ id: me, superAdmin: false }))).toBe("not_yourself");
    expect(await refusal(users.resetPassword({ id: me }))).toBe("not_yourself");
    expect(await refusal(users.deleteUser({ id: me }))).toBe("not_yourself");
    // Two who demote each other at once: one of them stays, whoever is first.
    const other = await addPerson(server, admin.token, "other@example.com", { superAdmin: true });
    const outcomes = await Promise.all([
      refusal(users.updateUser({ id: other.id, superAdmin: false })),
      refusal(server.client(UserService, other.token).updateUser({ id: me, superAdmin: false })),
    ]);
    expect(outcomes).not.toEqual(["undefined", "undefined"]);
    const [left] = await world.query<{ count: number }>(
      `select count(*)::int as count from "User" where "isSuperAdmin"`,
    );
    expect(left?.count).toBe(1);
  });

  test("that are locked lose sessions and live streams within seconds, and come back when unlocked (X2)", async () => {
    await using world = await start();
    const { server, admin } = world;
    const anna = await addPerson(server, admin.token, "anna@example.com", {
      team: { id: admin.teamId, role: Role.VIEWER },
    });
    const watch = server
      .client(LiveService, anna.token)
      .watch({ environmentId: admin.environmentId });
    const iterator = watch[Symbol.asyncIterator]();
    await iterator.next();
    const users = server.client(UserService, admin.token);
    const lockedAt = Date.now();
    await users.updateUser({ id: anna.id, locked: true });
    const ended = async (): Promise<unknown> => {
      for (;;) {
        const { done } = await iterator.next();
        if (done === true) return undefined;
      }
    };
    await expect(ended()).rejects.toMatchObject({ code: Code.Unauthenticated });
    expect(Date.now() - lockedAt).toBeLessThan(5000);
    const credentials = { email: anna.email, password: anna.password };
    const auth = server.client(AuthService);
    expect(await refusal(auth.login(credentials))).toBe("sign_in_refused");
    await users.updateUser({ id: anna.id, locked: false });
    await auth.login(credentials);
  });

  test("that are deleted leave their rows in the audit", async () => {
    await using world = await start();
    const { server, admin } = world;
    const anna = await addPerson(server, admin.token, "anna@example.com");
    await server.client(UserService, admin.token).deleteUser({ id: anna.id });
    expect(await refusal(server.client(AuthService, anna.token).getSession({}))).toBe(
      "sign_in_required",
    );
    const rows = await world.query<{ action: string }>(
      `select "action" from "AuditLog" where "userId" = $1 order by "sequence"`,
      [anna.id],
    );
    expect(rows.map(({ action }) => action)).toEqual([
      "auth.signed_in",
      "profile.password_changed",
    ]);
  });

  test("get a new temporary password from a super admin, which ends their sessions", async () => {
    await using world = await start();
    const { server, admin } = world;
    const anna = await addPerson(server, admin.token, "anna@example.com");
    const { temporaryPassword } = await server
      .client(UserService, admin.token)
      .resetPassword({ id: anna.id });
    expect(await refusal(server.client(AuthService, anna.token).getSession({}))).toBe(
      "sign_in_required",
    );
    const auth = server.client(AuthService);
    expect(await refusal(auth.login({ email: anna.email, password: anna.password }))).toBe(
      "sign_in_refused",
    );
    const back = await auth.login({ email: anna.email, password: temporaryPassword });
    expect(back.user?.mustChangePassword).toBe(true);
    const rows = await world.query<{ row: string }>(
      `select "AuditLog"::text as row from "AuditLog"`,
    );
    expect(rows.map(({ row }) => row).join()).not.toContain(temporaryPassword);
  });
});

describe("failed sign-ins", () => {
  test("are counted over all replicas, whatever the case of the e-mail (X1)", async () => {
    await using world = await start();
    const { config, log } = world.server.server.deps;
    await using replica = await startServer(config, log);
    const clients = [world.server.server.webUrl, replica.webUrl].map((baseUrl) =>
      createClient(AuthService, createConnectTransport({ baseUrl, httpVersion: "1.1" })),
    );
    for (let n = 0; n < 5; n += 1) {
      for (const client of clients) {
        const email = n % 2 === 0 ? "ADMIN@example.com" : "admin@Example.com";
        expect(await refusal(client.login({ email, password: "wrong" }))).toBe("sign_in_refused");
      }
    }
    const right = { email: "admin@example.com", password: adminPassword };
    for (const client of clients) {
      expect(await refusal(client.login(right))).toBe("sign_in_refused");
    }
    const rows = await world.query<{ reason: string; count: number }>(
      `select "metadata"->>'reason' as reason, count(*)::int as count from "AuditLog"
       where "action" = 'auth.sign_in_failed' group by 1 order by 1`,
    );
    expect(rows).toEqual([
      { reason: "locked", count: 2 },
      { reason: "wrong_password", count: 10 },
    ]);
  });
});

describe("one's own sessions", () => {
  test("are listed and ended one by one; somebody else's are not found", async () => {
    await using world = await start();
    const { server, admin } = world;
    const anna = await addPerson(server, admin.token, "anna@example.com");
    const second = await server
      .client(AuthService)
      .login({ email: anna.email, password: anna.password });
    const profile = server.client(ProfileService, anna.token);
    const { sessions } = await profile.listSessions({});
    expect(sessions).toHaveLength(2);
    const other = sessions.find(({ current }) => !current)?.id ?? "";
    const [foreign] = (await server.client(ProfileService, admin.token).listSessions({})).sessions;
    expect(await refusal(profile.revokeSession({ id: foreign?.id ?? "" }))).toBe(
      "session_not_found",
    );
    await profile.revokeSession({ id: other });
    expect(await refusal(server.client(AuthService, second.sessionToken).getSession({}))).toBe(
      "sign_in_required",
    );
    await server.client(AuthService, anna.token).getSession({});
  });

  test("do not help to guess the password: ten wrong ones lock", async () => {
    await using world = await start();
    const { server, admin } = world;
    const profile = server.client(ProfileService, admin.token);
    const guess = { currentPassword: "a guess", newPassword: "another password" };
    for (let n = 0; n < 10; n += 1) {
      expect(await refusal(profile.changePassword(guess))).toBe("password_wrong");
    }
    const right = { currentPassword: adminPassword, newPassword: "another password" };
    expect(await refusal(profile.changePassword(right))).toBe("password_wrong");
  });
});

describe("teams", () => {
  test("have members by e-mail whose role decides, and who sign in again when it changes", async () => {
    await using world = await start();
    const { server, admin } = world;
    const teams = server.client(TeamService, admin.token);
    const anna = await addPerson(server, admin.token, "anna@example.com", {
      team: { id: admin.teamId, role: Role.VIEWER },
    });
    const create = { teamId: admin.teamId, name: "Staging" };
    const asAnna = server.client(EnvironmentService, anna.token);
    expect(await refusal(asAnna.createEnvironment(create))).toBe("not_allowed");
    const member = { teamId: admin.teamId, userId: anna.id };
    await teams.updateMember({ ...member, role: Role.ADMIN });
    expect(await refusal(asAnna.createEnvironment(create))).toBe("sign_in_required");
    const auth = server.client(AuthService);
    const { sessionToken } = await auth.login({ email: anna.email, password: anna.password });
    await server.client(EnvironmentService, sessionToken).createEnvironment(create);
    const asAdmin = server.client(TeamService, sessionToken);
    expect(await refusal(asAdmin.updateMember({ ...member, role: Role.VIEWER }))).toBe(
      "not_yourself",
    );
    expect(await refusal(asAdmin.removeMember(member))).toBe("not_yourself");
    expect(await refusal(asAdmin.createTeam({ name: "Mine" }))).toBe("not_allowed");
    const { members } = await asAdmin.listMembers({ teamId: admin.teamId });
    expect(members.map(({ email }) => email)).toEqual(["admin@example.com", "anna@example.com"]);
    const absent = { teamId: admin.teamId, email: "absent@example.com", role: Role.VIEWER };
    expect(await refusal(asAdmin.addMember(absent))).toBe("user_not_found");
    expect(await refusal(asAdmin.addMember({ ...absent, email: "ANNA@example.com" }))).toBe(
      "already_member",
    );
  });

  test("lose a member's live streams within seconds of the removal (X2)", async () => {
    await using world = await start();
    const { server, admin } = world;
    const anna = await addPerson(server, admin.token, "anna@example.com", {
      team: { id: admin.teamId, role: Role.VIEWER },
    });
    const watch = server
      .client(LiveService, anna.token)
      .watch({ environmentId: admin.environmentId });
    const iterator = watch[Symbol.asyncIterator]();
    await iterator.next();
    await server
      .client(TeamService, admin.token)
      .removeMember({ teamId: admin.teamId, userId: anna.id });
    const ended = async (): Promise<unknown> => {
      for (;;) if ((await iterator.next()).done === true) return undefined;
    };
    await expect(ended()).rejects.toMatchObject({ code: Code.NotFound });
  });

  test("stay while they have environments, and the last one stays", async () => {
    await using world = await start();
    const { server, admin } = world;
    const teams = server.client(TeamService, admin.token);
    expect(await refusal(teams.deleteTeam({ id: admin.teamId }))).toBe("last_team");
    const { team } = await teams.createTeam({ name: "Security" });
    const id = team?.id ?? "";
    expect(await refusal(teams.deleteTeam({ id: admin.teamId }))).toBe("team_has_environments");
    await teams.updateTeam({ id, name: "SecOps" });
    expect((await teams.listTeams({})).teams.map(({ name }) => name)).toEqual([
      "Platform",
      "SecOps",
    ]);
    await teams.deleteTeam({ id });
    expect((await teams.listTeams({})).teams).toHaveLength(1);
  });
});

describe("refused calls", () => {
  test("are a few rows a minute, and a count above that (S13)", async () => {
    await using world = await start();
    const { server, admin } = world;
    const anna = await addPerson(server, admin.token, "anna@example.com");
    const users = server.client(UserService, anna.token);
    for (let n = 0; n < 40; n += 1) await refusal(users.listUsers({}));
    const denied = () =>
      world.query<{ metadata: { reason: string; repeated?: number } }>(
        `select "metadata" from "AuditLog" where "action" = 'access.denied' order by "sequence"`,
      );
    expect(await denied()).toHaveLength(5);
    await server.server.deps.refusals.flush();
    await eventually(async () => expect(await denied()).toHaveLength(6));
    expect((await denied()).at(-1)?.metadata).toEqual({ reason: "not_allowed", repeated: 35 });
  });
});
