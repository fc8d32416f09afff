import pg from "pg";
import { describe, expect, inject, test } from "vitest";
import { openOrm } from "../db/orm.ts";
import { createTestDatabase } from "../testing/database.ts";
import { verifyAudit } from "./verify.ts";

async function open() {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase(inject("templateUrl")));
  const orm = await openOrm(database.url, 2);
  stack.defer(() => orm.close(true));
  const pool = new pg.Pool({ connectionString: database.url, max: 8 });
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
});
