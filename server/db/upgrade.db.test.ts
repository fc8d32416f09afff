import pg from "pg";
import { describe, expect, inject, test } from "vitest";
import { silentLogger } from "#common/logger.ts";
import { createTestDatabase } from "../testing/database.ts";
import { openSql, type Sql } from "../testing/seed.ts";
import { migrate } from "./migrate.ts";
import { openOrm } from "./orm.ts";

const now = new Date("2026-11-24T12:00:00Z");

/** Everything in the catalogue that makes two databases differ, apart from the partitions of particular days. */
async function catalogueOf(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.query<{ fact: string }>(`
    select concat_ws(' ', 'column', table_name, column_name, udt_name, is_nullable, column_default) as "fact"
      from information_schema.columns where table_schema = 'public'
    union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
    union all select concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
      from pg_constraint where connamespace = 'public'::regnamespace
    union all select 'trigger ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all select 'function ' || pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
    union all select concat_ws(' ', 'enum', t.typname, e.enumlabel, e.enumsortorder)
      from pg_enum e join pg_type t on t.oid = e.enumtypid
    union all select concat_ws(' ', 'migration', "name") from "mikro_orm_migrations"`);
  return rows
    .map(({ fact }) => fact)
    .filter((fact) => !/_\d{8}/.test(fact.replaceAll(/Migration\d+/g, "")))
    .toSorted();
}

async function emptyDatabase() {
  const database = await createTestDatabase(inject("templateUrl"));
  const sql = await openSql(database.url);
  await sql.query(`drop schema public cascade`);
  await sql.query(`create schema public`);
  return {
    sql,
    url: database.url,
    async [Symbol.asyncDispose]() {
      await sql[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

async function freshCatalogue(): Promise<readonly string[]> {
  await using database = await createTestDatabase(inject("templateUrl"));
  await using sql = await openSql(database.url);
  return await catalogueOf(sql);
}

async function migrated(url: string): Promise<void> {
  const orm = await openOrm(url, 2);
  try {
    await migrate(orm, url, now, silentLogger);
  } finally {
    await orm.close(true);
  }
}

describe("a database", () => {
  test("that was upgraded from an earlier release equals a fresh one (S14)", async () => {
    const fresh = await freshCatalogue();
    const probe = await openOrm(inject("templateUrl"), 1);
    const names = (await probe.migrator.getExecuted()).map(({ name }) => name);
    await probe.close(true);
    // All are migrated by the same steps: the first release takes all of them, the last but one only the newest.
    for (const name of [names[0], names[names.length >> 1], names.at(-2)]) {
      if (name === undefined) throw new Error("there is only one release");
      await using old = await emptyDatabase();
      const orm = await openOrm(old.url, 2);
      await orm.migrator.up({ to: name });
      await orm.close(true);
      await migrated(old.url);
      expect({ from: name, catalogue: await catalogueOf(old.sql) }).toEqual({
        from: name,
        catalogue: fresh,
      });
    }
    // A second or two for each release there was.
  }, 120_000);

  test("whose migration was interrupted is as it was before, and is migrated by the next start (S14)", async () => {
    await using database = await emptyDatabase();
    // Another session holds a name that the migration needs, so that it stands still in its midst.
    const blocker = new pg.Client({ connectionString: database.url });
    await blocker.connect();
    await blocker.query("begin");
    await blocker.query(`create table "VrlSnippet" ("id" text)`);
    const interrupted = migrated(database.url);
    interrupted.catch(() => {});
    await expect
      .poll(
        () =>
          database.sql.query(
            `select pg_terminate_backend(pid) as "ended" from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock' and pid <> pg_backend_pid()`,
          ),
        { timeout: 15_000 },
      )
      .toEqual([{ ended: true }]);
    await expect(interrupted).rejects.toThrow(/terminat/);
    await blocker.query("rollback");
    await blocker.end();
    const left = await database.sql.query(
      `select tablename from pg_tables where schemaname = 'public' and tablename <> 'mikro_orm_migrations'`,
    );
    expect(left).toEqual([]);
    await migrated(database.url);
    expect(await catalogueOf(database.sql)).toEqual(await freshCatalogue());
  });

  test("is migrated once by replicas that start together (S14)", async () => {
    await using database = await emptyDatabase();
    await Promise.all(Array.from({ length: 3 }, () => migrated(database.url)));
    expect(await catalogueOf(database.sql)).toEqual(await freshCatalogue());
  });
});
