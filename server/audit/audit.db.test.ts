import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, inject, test } from "vitest";
import { silentLogger } from "#common/logger.ts";
import { migrate } from "../db/migrate.ts";
import { openOrm } from "../db/orm.ts";
import { createTestDatabase, openPool } from "../testing/database.ts";
import { verifyAudit } from "./verify.ts";

async function open() {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase(inject("templateUrl")));
  const orm = await openOrm(database.url, 2);
  stack.defer(() => orm.close(true));
  const pool = openPool(database.url, 8);
  stack.defer(() => pool.end());
  const insert = (id: string): Promise<unknown> =>
    pool.query(
      `insert into "AuditLog" ("id", "action", "entityType", "entityId", "diff", "metadata", "userName")
       values ($1, 'pipeline.updated', 'Pipeline', 'p', $2, '{}', 'Zoë')`,
      [id, { name: { before: "a:1", after: 'b"\\ü' }, n: { before: 1.5, after: null } }],
    );
  const tamper = async (sql: string): Promise<void> => {
    await pool.query(`alter table "AuditLog" disable trigger user`);
    await pool.query(sql);
    await pool.query(`alter table "AuditLog" enable trigger user`);
  };
  return {
    pool,
    url: database.url,
    insert,
    tamper,
    verify: () => verifyAudit(orm.em.fork()),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe("the chain of the audit", () => {
  test("holds whatever is written at once, and says how many rows there are", async () => {
    await using db = await open();
    expect(await db.verify()).toEqual({ kind: "intact", rows: 0, head: "" });
    await Promise.all(Array.from({ length: 200 }, (_, n) => db.insert(`row-${n}`)));
    expect(await db.verify()).toMatchObject({ kind: "intact", rows: 200 });
  });

  test("orders the rows of one transaction, and leaves no hole where one was rolled back", async () => {
    await using db = await open();
    const client = await db.pool.connect();
    const values = `("id", "action", "entityType", "entityId") values`;
    await client.query("begin");
    await client.query(
      `insert into "AuditLog" ${values} ('a', 'x', 'y', 'z'), ('b', 'x', 'y', 'z')`,
    );
    await client.query("rollback");
    await client.query("begin");
    await client.query(
      `insert into "AuditLog" ${values} ('c', 'x', 'y', 'z'), ('d', 'x', 'y', 'z')`,
    );
    await client.query("commit");
    client.release();
    const { rows } = await db.pool.query(`select "id", "sequence" from "AuditLog" order by 2`);
    expect(rows).toEqual([
      { id: "c", sequence: "1" },
      { id: "d", sequence: "2" },
    ]);
    expect(await db.verify()).toMatchObject({ kind: "intact", rows: 2 });
  });

  test.each([
    ["changed", `update "AuditLog" set "userName" = 'Eve' where "sequence" = 3`, 3, /changed/],
    ["removed", `delete from "AuditLog" where "sequence" = 3`, 4, /row 3 before it is missing/],
    [
      "replaced with a hash of its own",
      `update "AuditLog" set "action" = 'x', "hash" = audit_row_hash(("AuditLog".*)::"AuditLog") where "sequence" = 3`,
      3,
      /changed/,
    ],
    [
      "put in",
      `insert into "AuditLog" ("id", "action", "entityType", "entityId") values ('new', 'x', 'y', 'z')`,
      0,
      /without becoming part/,
    ],
  ])("names the first row that does not fit when one was %s", async (_case, sql, at, reason) => {
    await using db = await open();
    for (let n = 1; n <= 5; n += 1) await db.insert(`row-${n}`);
    await db.tamper(sql);
    const verdict = await db.verify();
    expect(verdict).toMatchObject({ kind: "broken", sequence: at });
    expect(verdict.kind === "broken" ? verdict.reason : "").toMatch(reason);
  });

  test("cannot be forged through an insert, nor rewritten once it is made", async () => {
    await using db = await open();
    await db.pool.query(
      `insert into "AuditLog" ("id", "action", "entityType", "entityId", "sequence", "hash")
       values ('a', 'x', 'y', 'z', 77, 'forged')`,
    );
    expect(await db.verify()).toMatchObject({ kind: "intact", rows: 1 });
    await expect(db.pool.query(`update "AuditLog" set "hash" = null`)).rejects.toThrow(
      /only grows/,
    );
    await expect(db.pool.query(`delete from "AuditLog"`)).rejects.toThrow(/only grows/);
  });

  test("takes in the rows that were there before it, in the order they were written (S14)", async () => {
    await using db = await open();
    await db.pool.query("drop schema public cascade; create schema public");
    const orm = await openOrm(db.url, 2);
    await orm.migrator.up({ to: "20261124050100_add_rules" });
    for (let n = 1; n <= 3; n += 1) await db.insert(`old-${n}`);
    await migrate(orm, db.url, new Date(), silentLogger);
    await orm.close(true);
    await db.insert("new");
    expect(await db.verify()).toMatchObject({ kind: "intact", rows: 4 });
    await expect(db.pool.query(`delete from "AuditLog"`)).rejects.toThrow(/only grows/);
  });
});

describe("server/main.ts audit verify", () => {
  const run = (url: string) =>
    promisify(execFile)(process.execPath, ["server/main.ts", "audit", "verify"], {
      env: {
        VECTORFLOW_DATABASE_URL: url,
        VECTORFLOW_SECRET: "a secret of forty characters for testing",
      },
    });

  test("tells the number of rows and the head, or the first broken row by its exit code", async () => {
    await using db = await open();
    for (let n = 1; n <= 3; n += 1) await db.insert(`row-${n}`);
    const { stdout } = await run(db.url);
    expect(stdout).toMatch(/^the audit is intact: 3 rows, head [0-9a-f]{64}\n$/);
    await db.tamper(`update "AuditLog" set "action" = 'other' where "sequence" = 2`);
    await expect(run(db.url)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/broken at row 2 \(id row-2\)/),
    });
  });
});
