import { expect, inject, test } from "vitest";
import { createTestDatabase } from "../testing/database.ts";
import { openSql } from "../testing/seed.ts";
import { openOrm } from "./orm.ts";

test("connections that are lost in the midst of a transaction cost none of the pool (S13)", async () => {
  await using database = await createTestDatabase(inject("templateUrl"));
  await using sql = await openSql(database.url);
  const orm = await openOrm(database.url, 2);
  // More often than the pool has connections.
  for (let loss = 0; loss < 3; loss += 1) {
    const lost = orm.em.fork().transactional(async (em) => {
      const [row] = await em.execute<{ pid: number }[]>(`select pg_backend_pid() as "pid"`);
      await sql.query(`select pg_terminate_backend($1)`, [row?.pid]);
      await em.execute(`select 1`);
    });
    await expect(lost).rejects.toThrow(/terminat|connection error/);
  }
  const [answer] = await orm.em.fork().execute<{ one: number }[]>(`select 1 as "one"`);
  expect(answer).toEqual({ one: 1 });
  await orm.close(true);
});
