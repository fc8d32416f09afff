import { ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, inject, test } from "vitest";
import { ErrorInfoSchema } from "#gen/vectorflow/v1/error_pb.ts";
import { ProfileService } from "#gen/vectorflow/v1/profile_service_pb.ts";
import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";
import { UserService } from "#gen/vectorflow/v1/user_service_pb.ts";
import { openPool } from "../testing/database.ts";
import { addPerson } from "../testing/people.ts";
import { setUp, startTestServer } from "../testing/test-server.ts";
import { removeOldKeys } from "./idempotency-key.entity.ts";

async function start() {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startTestServer(inject("templateUrl")));
  const admin = await setUp(server);
  const pool = openPool(server.databaseUrl, 2);
  stack.defer(() => pool.end());
  const count = async (sql: string): Promise<number> =>
    (await pool.query<{ count: number }>(`select count(*)::int as count from ${sql}`)).rows[0]
      ?.count ?? 0;
  return { server, admin, pool, count, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const keyed = (key: string) => ({ headers: { "idempotency-key": key } });

async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => ConnectError.from(thrown),
  );
  return error?.findDetails(ErrorInfoSchema)[0]?.reason ?? String(error?.code);
}

describe("a call with an idempotency key", () => {
  test("acts once however often it comes at once, and gives all the first answer", async () => {
    await using world = await start();
    const teams = world.server.client(TeamService, world.admin.token);
    const request = { name: "Security" };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => teams.createTeam(request, keyed("key-of-this-call"))),
    );
    const later = await teams.createTeam(request, keyed("key-of-this-call"));
    expect(new Set([...answers, later].map(({ team }) => team?.id)).size).toBe(1);
    expect(await world.count(`"Team" where "name" = 'Security'`)).toBe(1);
    expect(await world.count(`"AuditLog" where "action" = 'team.created'`)).toBe(1);
    const grpc = createClient(
      TeamService,
      createGrpcTransport({ baseUrl: world.server.server.webUrl }),
    );
    const headers = { authorization: `Bearer ${world.admin.token}` };
    const byGrpc = await grpc.createTeam(request, {
      headers: { ...headers, "idempotency-key": "key-of-this-call" },
    });
    expect(byGrpc.team?.id).toBe(later.team?.id);
    await teams.createTeam(request, keyed("another-key"));
    expect(await world.count(`"Team" where "name" = 'Security'`)).toBe(2);
  });

  test("gets what is shown once again, and the database does not hold it in clear", async () => {
    await using world = await start();
    const users = world.server.client(UserService, world.admin.token);
    const request = { email: "anna@example.com", name: "Anna" };
    const first = await users.createUser(request, keyed("key-of-this-call"));
    const again = await users.createUser(request, keyed("key-of-this-call"));
    expect(again).toEqual(first);
    const { rows } = await world.pool.query<{ row: string }>(
      `select "IdempotencyKey"::text as row from "IdempotencyKey"`,
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.map(({ row }) => row).join()).not.toContain(first.temporaryPassword);
  });

  test("is refused when the same key comes with another request or method", async () => {
    await using world = await start();
    const teams = world.server.client(TeamService, world.admin.token);
    await teams.createTeam({ name: "A" }, keyed("key-of-this-call"));
    expect(await refusal(teams.createTeam({ name: "B" }, keyed("key-of-this-call")))).toBe(
      "idempotency_key_reused",
    );
    const profile = world.server.client(ProfileService, world.admin.token);
    expect(await refusal(profile.updateProfile({ name: "A" }, keyed("key-of-this-call")))).toBe(
      "idempotency_key_reused",
    );
    expect(await refusal(teams.createTeam({ name: "B" }, keyed("short")))).toBe(
      "idempotency_key_invalid",
    );
  });

  test("belongs to its actor: another one's is another call", async () => {
    await using world = await start();
    const other = await addPerson(world.server, world.admin.token, "root@example.com", {
      superAdmin: true,
    });
    for (const token of [world.admin.token, other.token]) {
      await world.server
        .client(TeamService, token)
        .createTeam({ name: "Same" }, keyed("key-of-this-call"));
    }
    expect(await world.count(`"Team" where "name" = 'Same'`)).toBe(2);
  });

  test("that changed nothing can be corrected and sent again; one that failed after a change fails again", async () => {
    await using world = await start();
    const teams = world.server.client(TeamService, world.admin.token);
    expect(await refusal(teams.createTeam({ name: "" }, keyed("key-of-this-call")))).toBe(
      "invalid_request",
    );
    await teams.createTeam({ name: "Now" }, keyed("key-of-this-call"));
    // A wrong password is counted, which is a change: the repeat is not counted again.
    const profile = world.server.client(ProfileService, world.admin.token);
    const guess = { currentPassword: "wrong", newPassword: "another password" };
    for (let n = 0; n < 3; n += 1) {
      expect(await refusal(profile.changePassword(guess, keyed("key-of-the-guess")))).toBe(
        "password_wrong",
      );
    }
    expect(await world.count(`"AuditLog" where "action" = 'profile.password_refused'`)).toBe(1);
  });

  test("leaves its change and its answer, or neither, whenever the power is cut", async () => {
    await using world = await start();
    const teams = world.server.client(TeamService, world.admin.token);
    const request = { name: "Once" };
    const first = await teams.createTeam(request, keyed("key-of-this-call"));
    // Rows of one transaction carry its number: the change, its audit and the answer came into being at once.
    const { rows } = await world.pool.query<{ changed: string; audited: string; answered: string }>(
      `select t.xmin::text as changed, a.xmin::text as audited, k.xmin::text as answered
       from "Team" t, "AuditLog" a, "IdempotencyKey" k
       where t."id" = $1 and a."entityId" = t."id" and k."key" = 'key-of-this-call' and k."answer" is not null`,
      [first.team?.id],
    );
    expect(new Set(Object.values(rows[0] ?? {})).size).toBe(1);
    // As if the server had died before it could store the answer.
    await world.pool.query(
      `create function refuse() returns trigger language plpgsql as $$ begin raise 'cut off'; end $$;
       create trigger refuse before update on "IdempotencyKey" for each row execute function refuse()`,
    );
    const cutOff = { name: "Twice" };
    expect(await refusal(teams.createTeam(cutOff, keyed("key-of-the-other")))).toBe("13");
    expect(await world.count(`"Team" where "name" = 'Twice'`)).toBe(0);
    await world.pool.query(`drop trigger refuse on "IdempotencyKey"`);
    await teams.createTeam(cutOff, keyed("key-of-the-other"));
    expect(await world.count(`"Team" where "name" = 'Twice'`)).toBe(1);
  });

  test("is forgotten after a day", async () => {
    await using world = await start();
    const teams = world.server.client(TeamService, world.admin.token);
    await teams.createTeam({ name: "Daily" }, keyed("key-of-this-call"));
    await world.pool.query(`update "IdempotencyKey" set "createdAt" = now() - interval '25 hours'`);
    await teams.createTeam({ name: "Daily" }, keyed("key-of-this-call"));
    expect(await world.count(`"Team" where "name" = 'Daily'`)).toBe(2);
    await world.pool.query(`update "IdempotencyKey" set "createdAt" = now() - interval '25 hours'`);
    const { orm, clock } = world.server.server.deps;
    expect(await removeOldKeys({ em: orm.em.fork(), clock })).toBeGreaterThan(0);
    expect(await world.count(`"IdempotencyKey"`)).toBe(0);
  });
});
