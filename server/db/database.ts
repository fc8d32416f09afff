import pg from "pg";

const minimumVersion = 150_000;

/**
 * Makes sure that the database of `url` exists and is new enough.
 *
 * Throws an Error that tells what to do when it cannot be reached or is older than PostgreSQL 15.
 */
export async function ensureDatabase(url: string): Promise<void> {
  const target = new URL(url);
  const name = decodeURIComponent(target.pathname.slice(1));
  try {
    await checkVersion(url);
  } catch (error) {
    if ((error as { code?: string }).code !== "3D000") throw error;
    const maintenance = new URL(url);
    maintenance.pathname = "/postgres";
    const client = new pg.Client({ connectionString: maintenance.href });
    await client.connect();
    try {
      await client.query(`create database ${client.escapeIdentifier(name)}`);
    } catch (failure) {
      // Another replica made it in between.
      if (!["42P04", "23505"].includes((failure as { code?: string }).code ?? "")) throw failure;
    } finally {
      await client.end();
    }
  }
}

async function checkVersion(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ server_version_num: string }>("show server_version_num");
    const version = Number(rows[0]?.server_version_num);
    if (version < minimumVersion) {
      throw new Error(
        `the database is PostgreSQL ${Math.floor(version / 10_000)}; VectorFlow needs 15 or later`,
      );
    }
  } finally {
    await client.end();
  }
}
