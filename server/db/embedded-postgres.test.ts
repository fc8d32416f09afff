import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { silentLogger } from "#common/logger.ts";
import { startEmbeddedPostgres } from "./embedded-postgres.ts";

test("refuses the data of another major version, and says what to do", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "vectorflow-major-"));
  await mkdir(join(dataDir, "postgres"));
  await writeFile(join(dataDir, "postgres", "PG_VERSION"), "13\n");
  const stop = new AbortController();
  const started = startEmbeddedPostgres(dataDir, silentLogger, stop.signal);
  await expect(started).rejects.toThrow(
    /was written by PostgreSQL 13, this release brings \d+: start the release that wrote it/,
  );
  await rm(dataDir, { recursive: true });
});
