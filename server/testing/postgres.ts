import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { silentLogger } from "#common/logger.ts";
import { ensureDatabase } from "../db/database.ts";
import { startEmbeddedPostgres } from "../db/embedded-postgres.ts";
import { migrate } from "../db/migrate.ts";
import { openOrm } from "../db/orm.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** A migrated database that tests copy and never change. */
    templateUrl: string;
  }
}

/**
 * One PostgreSQL for a run: the embedded one, or the external one that VECTORFLOW_TEST_DATABASE_URL names. The
 * template's name carries the process, so that two runs on one external server do not meet.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const external = process.env["VECTORFLOW_TEST_DATABASE_URL"];
  const dataDir = await mkdtemp(join(tmpdir(), "vectorflow-test-"));
  const stop = new AbortController();
  const embedded =
    external === undefined
      ? await startEmbeddedPostgres(dataDir, silentLogger, stop.signal)
      : undefined;
  const template = new URL(external ?? embedded?.url ?? "");
  template.pathname = `/vectorflow_template_${process.pid}_${project.name}`;
  await ensureDatabase(template.href);
  if (embedded !== undefined) await neverSync(template.href);
  const orm = await openOrm(template.href, 2);
  await migrate(orm, template.href, new Date(), silentLogger);
  await orm.close(true);
  project.provide("templateUrl", template.href);
  return async () => {
    if (external !== undefined) await dropDatabase(template);
    await embedded?.[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true, force: true });
  };
}

/** Each test makes a database and drops it: a machine that loses power may lose them all. */
async function neverSync(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const setting of ["fsync", "synchronous_commit", "full_page_writes"]) {
    await client.query(`alter system set ${setting} = off`);
  }
  await client.query("select pg_reload_conf()");
  await client.end();
}

/** Drops a database and whoever is still connected to it. */
export async function dropDatabase(url: URL): Promise<void> {
  const maintenance = new URL(url);
  maintenance.pathname = "/postgres";
  const client = new pg.Client({ connectionString: maintenance.href });
  await client.connect();
  const name = client.escapeIdentifier(url.pathname.slice(1));
  await client.query(`drop database if exists ${name} with (force)`);
  await client.end();
}
