import { randomBytes } from "node:crypto";
import pg from "pg";
import { dropDatabase } from "./postgres.ts";

/** A database of a test's own, copied from the template; disposing it drops it. */
export async function createTestDatabase(
  templateUrl: string,
): Promise<AsyncDisposable & { readonly url: string }> {
  const template = new URL(templateUrl);
  const url = new URL(templateUrl);
  url.pathname = `/t_${randomBytes(8).toString("hex")}`;
  const maintenance = new URL(templateUrl);
  maintenance.pathname = "/postgres";
  const client = new pg.Client({ connectionString: maintenance.href });
  await client.connect();
  try {
    await client.query(
      `create database ${client.escapeIdentifier(url.pathname.slice(1))}
       template ${client.escapeIdentifier(template.pathname.slice(1))}`,
    );
  } finally {
    await client.end();
  }
  return { url: url.href, [Symbol.asyncDispose]: () => dropDatabase(url) };
}

/** Connections of a test's own. Those that are ending may still be there when the database is dropped under them. */
export function openPool(connectionString: string, max: number, more: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString, max, ...more });
  pool.on("error", () => {});
  return pool;
}
