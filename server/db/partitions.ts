import type { EntityManager } from "@mikro-orm/postgresql";

/** The tables that are partitioned by day on `timestamp`. */
export const seriesTables = ["PipelineMetric", "NodeMetric", "PipelineLog"] as const;
export type SeriesTable = (typeof seriesTables)[number];

const dayMs = 86_400_000;

function startOfDay(time: Date): Date {
  return new Date(Math.floor(time.getTime() / dayMs) * dayMs);
}

/** Name of the partition of a day (UTC), as in `NodeMetric_20261124`. */
export function partitionName(table: SeriesTable, day: Date): string {
  return `${table}_${day.toISOString().slice(0, 10).replaceAll("-", "")}`;
}

/**
 * Makes the partitions of today and the next `daysAhead` days. Rows that came for a day before it had a
 * partition stand in the default one and are moved. Safe to call at any time, also by two replicas.
 */
export async function createPartitions(
  em: EntityManager,
  now: Date,
  daysAhead: number,
): Promise<void> {
  for (const table of seriesTables) {
    for (let ahead = 0; ahead <= daysAhead; ahead += 1) {
      const from = new Date(startOfDay(now).getTime() + ahead * dayMs);
      await createPartition(em, table, from);
    }
  }
}

async function createPartition(em: EntityManager, table: SeriesTable, from: Date): Promise<void> {
  const name = partitionName(table, from);
  const to = new Date(from.getTime() + dayMs);
  const found = await em.execute<{ name: string | null }[]>(`select to_regclass(?)::text as name`, [
    `"${name}"`,
  ]);
  if (found[0]?.name != null) return;
  const range = `"timestamp" >= '${from.toISOString()}' and "timestamp" < '${to.toISOString()}'`;
  await em.transactional(async (tx) => {
    await tx.execute(`lock table "${table}" in access exclusive mode`);
    await tx.execute(`create table if not exists "${name}" (like "${table}" including defaults)`);
    await tx.execute(
      `with moved as (delete from "${table}_default" where ${range} returning *)
       insert into "${name}" select * from moved`,
    );
    const attached = await tx.execute<unknown[]>(
      `select 1 from pg_inherits where inhrelid = '"${name}"'::regclass`,
    );
    if (attached.length > 0) return;
    await tx.execute(
      `alter table "${table}" attach partition "${name}"
       for values from ('${from.toISOString()}') to ('${to.toISOString()}')`,
    );
  });
}

/** Drops whole days that are older than the retention. Returns the names of what was dropped. */
export async function dropOldPartitions(
  em: EntityManager,
  now: Date,
  retentionDays: Readonly<Record<SeriesTable, number>>,
): Promise<string[]> {
  const dropped: string[] = [];
  for (const table of seriesTables) {
    const oldest = partitionName(
      table,
      new Date(startOfDay(now).getTime() - retentionDays[table] * dayMs),
    );
    const rows = await em.execute<{ name: string }[]>(
      `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
       where i.inhparent = ?::regclass and c.relname ~ ? and c.relname < ?`,
      [`"${table}"`, `^${table}_\\d{8}$`, oldest],
    );
    for (const { name } of rows) {
      await em.execute(`drop table "${name}"`);
      dropped.push(name);
    }
  }
  return dropped;
}
