import type { MikroORM } from "@mikro-orm/postgresql";
import pg from "pg";
import type { Logger } from "#common/logger.ts";
import { createPartitions } from "./partitions.ts";

/** Any number that nothing else of ours locks. */
const migrationLock = 7_426_001;

/**
 * Brings the database up to date. Replicas that start together wait for one another; a migration that was
 * interrupted is begun again, because each runs in a transaction of its own.
 */
export async function migrate(orm: MikroORM, url: string, now: Date, log: Logger): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [migrationLock]);
    const applied = await orm.migrator.up();
    for (const { name } of applied) log.info("migration applied", { name });
    await createPartitions(orm.em.fork(), now, 2);
  } finally {
    await client.end();
  }
}
