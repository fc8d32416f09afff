import pg from "pg";
import { describe, expect, inject, test } from "vitest";
import { silentLogger } from "#common/logger.ts";
import { createTestDatabase } from "../testing/database.ts";
import {
  referenceColumns,
  referenceEnums,
  referenceIndexes,
  referenceTables,
  uniqueKeys,
} from "../testing/reference-schema.ts";
import { migrate } from "./migrate.ts";
import { openOrm } from "./orm.ts";
import { createPartitions, dropOldPartitions, partitionName, seriesTables } from "./partitions.ts";

async function connect() {
  const database = await createTestDatabase(inject("templateUrl"));
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const query = async <T>(sql: string, values: unknown[] = []): Promise<T[]> =>
    (await client.query(sql, values)).rows as T[];
  return {
    query,
    url: database.url,
    async [Symbol.asyncDispose]() {
      await client.end();
      await database[Symbol.asyncDispose]();
    },
  };
}

const indexesQuery = `select t.relname as "table", i.indisunique as "unique", array(
    select pg_get_indexdef(i.indexrelid, n, true) from generate_series(1, i.indnkeyatts) n) as "columns"
  from pg_index i join pg_class t on t.oid = i.indrelid
  join pg_namespace s on s.oid = t.relnamespace where s.nspname = 'public'`;

interface IndexRow {
  readonly table: string;
  readonly unique: boolean;
  readonly columns: string[];
}

const plain = (column: string): string => column.replaceAll('"', "");

describe("a freshly migrated database", () => {
  test("has every table, column, type and nullability of the published data model", async () => {
    await using db = await connect();
    const rows = await db.query<{ table: string; column: string; type: string; nullable: string }>(
      `select table_name as "table", column_name as "column", udt_name as "type", is_nullable as "nullable"
       from information_schema.columns where table_schema = 'public'`,
    );
    const tables = new Set(rows.map(({ table }) => table));
    expect(referenceTables.filter((table) => !tables.has(table))).toEqual([]);
    const found = new Set(
      rows.map(({ table, column, type, nullable }) => {
        const name = type === "bool" ? "boolean" : type;
        return `${table}: ${column} ${name}${nullable === "YES" ? "?" : ""}`;
      }),
    );
    const expected = Object.entries(referenceColumns).flatMap(([table, columns]) =>
      columns.map((column) => `${table}: ${column}`),
    );
    expect(expected.filter((fact) => !found.has(fact))).toEqual([]);
  });

  test("has every enum with its values in order", async () => {
    await using db = await connect();
    const rows = await db.query<{ name: string; values: string[] }>(
      `select t.typname as "name", array_agg(e.enumlabel::text order by e.enumsortorder) as "values"
       from pg_type t join pg_enum e on e.enumtypid = t.oid group by 1`,
    );
    expect(Object.fromEntries(rows.map(({ name, values }) => [name, values]))).toEqual(
      referenceEnums,
    );
  });

  test("has every index, and the keys that the product needs", async () => {
    await using db = await connect();
    const rows = await db.query<IndexRow>(indexesQuery);
    const has = (table: string, columns: readonly string[], unique: boolean): boolean =>
      rows.some(
        (row) =>
          row.table === table &&
          (!unique || row.unique) &&
          row.columns.map(plain).join() === columns.join(),
      );
    expect(referenceIndexes.filter(([table, columns]) => !has(table, columns, false))).toEqual([]);
    expect(uniqueKeys.filter(([table, columns]) => !has(table, columns, true))).toEqual([]);
  });

  test("has an index that begins with each foreign key", async () => {
    await using db = await connect();
    const keys = await db.query<{ table: string; column: string }>(
      `select t.relname as "table", a.attname as "column" from pg_constraint c
       join pg_class t on t.oid = c.conrelid
       join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1] where c.contype = 'f'`,
    );
    const rows = await db.query<IndexRow>(indexesQuery);
    const missing = keys.filter(
      ({ table, column }) =>
        !rows.some((row) => row.table === table && plain(row.columns[0] ?? "") === column),
    );
    expect(missing).toEqual([]);
  });

  test("is what the entities say, apart from the rules below them", async () => {
    await using db = await connect();
    const orm = await openOrm(db.url, 2);
    const sql = await orm.schema.getUpdateSchemaSQL({ wrap: false });
    await orm.close(true);
    const differences = sql
      .split("\n")
      .filter(
        (line) =>
          line.trim() !== "" && !/^drop (trigger|function)|SystemSettings_singleton/.test(line),
      );
    expect(differences).toEqual([]);
  });

  test("is reached by two replicas that start at once (S14)", async () => {
    await using db = await connect();
    await db.query(`drop schema public cascade`);
    await db.query(`create schema public`);
    const orms = await Promise.all([openOrm(db.url, 2), openOrm(db.url, 2)]);
    await Promise.all(orms.map((orm) => migrate(orm, db.url, new Date(), silentLogger)));
    await Promise.all(orms.map((orm) => orm.close(true)));
    expect(await db.query(`select 1 from "SystemSettings"`)).toHaveLength(1);
  });
});

describe("AuditLog", () => {
  test("refuses changes, deletes and truncation", async () => {
    await using db = await connect();
    await db.query(
      `insert into "AuditLog" ("id", "action", "entityType", "entityId") values ('a', 'x', 'y', 'z')`,
    );
    await expect(db.query(`update "AuditLog" set "action" = 'other'`)).rejects.toThrow(
      /only grows/,
    );
    await expect(db.query(`delete from "AuditLog"`)).rejects.toThrow(/only grows/);
    await expect(db.query(`truncate "AuditLog"`)).rejects.toThrow(/only grows/);
  });
});

const insert = (at: string): string =>
  `insert into "NodeMetric" ("id", "timestamp", "nodeId", "intervalMs") values ('${at}', '${at}', 'n', 1)`;

describe("partitions", () => {
  test("keep rows of a day that has none, and take them over when it is made", async () => {
    await using db = await connect();
    await db.query(insert("2031-05-06T12:00:00Z"));
    const orm = await openOrm(db.url, 2);
    await createPartitions(orm.em.fork(), new Date("2031-05-06T13:00:00Z"), 1);
    await createPartitions(orm.em.fork(), new Date("2031-05-06T13:00:00Z"), 1);
    await orm.close(true);
    const name = partitionName("NodeMetric", new Date("2031-05-06T00:00:00Z"));
    expect(await db.query(`select 1 from "${name}"`)).toHaveLength(1);
    expect(await db.query(`select 1 from "NodeMetric_default"`)).toHaveLength(0);
  });

  test("are dropped as whole days when the retention is over (S9)", async () => {
    await using db = await connect();
    const orm = await openOrm(db.url, 2);
    const old = new Date("2020-01-01T00:00:00Z");
    await createPartitions(orm.em.fork(), old, 0);
    const days = { PipelineMetric: 7, NodeMetric: 7, PipelineLog: 3 };
    const kept = await dropOldPartitions(orm.em.fork(), new Date("2020-01-04T10:00:00Z"), days);
    expect(kept).toEqual([]);
    const dropped = await dropOldPartitions(orm.em.fork(), new Date("2020-01-09T10:00:00Z"), days);
    await orm.close(true);
    expect(dropped.toSorted()).toEqual(
      seriesTables.map((table) => partitionName(table, old)).toSorted(),
    );
  });
});

describe("deleting", () => {
  test("takes the series of a node along, and leaves the audit and the alert events", async () => {
    await using db = await connect();
    await db.query(`insert into "Team" ("id", "name") values ('t', 'T')`);
    await db.query(`insert into "Environment" ("id", "name", "teamId") values ('e', 'E', 't')`);
    await db.query(
      `insert into "VectorNode" ("id", "name", "host", "environmentId", "machineId") values ('n', 'N', 'h', 'e', 'm')`,
    );
    await db.query(insert(new Date().toISOString()));
    await db.query(
      `insert into "AlertEvent" ("id", "nodeId", "status", "firedAt") values ('a', 'n', 'firing', now())`,
    );
    await db.query(
      `insert into "AuditLog" ("id", "action", "entityType", "entityId", "teamId") values ('l', 'x', 'VectorNode', 'n', 't')`,
    );
    await db.query(`delete from "VectorNode"`);
    expect(await db.query(`select 1 from "NodeMetric"`)).toHaveLength(0);
    expect(await db.query(`select "nodeId" from "AlertEvent"`)).toEqual([{ nodeId: null }]);
    await db.query(`delete from "Environment"`);
    await db.query(`delete from "Team"`);
    expect(await db.query(`select 1 from "AuditLog"`)).toHaveLength(1);
  });
});
