import { join } from "node:path";
import { EntityCaseNamingStrategy } from "@mikro-orm/core";
import { Migrator } from "@mikro-orm/migrations";
import { MikroORM, defineConfig } from "@mikro-orm/postgresql";
import type pg from "pg";
import { entities } from "./entities.ts";

const migrationsPath = join(import.meta.dirname, "../../migrations");

/** PostgreSQL's number of the type. */
const timestamptz = 1184;

/** Connects to PostgreSQL with at most `poolSize` connections; `onPool` gets the pool once it is made. */
export function openOrm(
  url: string,
  poolSize = 10,
  onPool: (pool: pg.Pool) => void = () => {},
): Promise<MikroORM> {
  return MikroORM.init(
    defineConfig({
      clientUrl: url,
      entities,
      namingStrategy: EntityCaseNamingStrategy,
      extensions: [Migrator],
      allowGlobalContext: false,
      // What goes wrong is thrown, and logged where it is caught.
      logger: () => {},
      pool: { min: 0, max: poolSize, idleTimeoutMillis: 30_000 },
      driverOptions: {
        // Rows of plain SQL give moments as Date too, like those of entities.
        onPoolCreated(
          pool: pg.Pool & {
            options: { types: { setTypeParser(oid: number, parse: (text: string) => Date): void } };
          },
        ) {
          pool.options.types.setTypeParser(timestamptz, (text) => new Date(text));
          giveBackLost(pool);
          onPool(pool);
        },
      },
      migrations: {
        path: migrationsPath,
        pathTs: migrationsPath,
        glob: "!(*.d).{js,ts}",
        emit: "ts",
        tableName: "mikro_orm_migrations",
        snapshot: false,
      },
    }),
  );
}

/** By then, whoever used a connection has been told that it is gone. */
const giveBackMs = 250;

/**
 * A transaction whose connection ends in its midst cannot be rolled back, and the query builder then never gives the
 * connection back: each such loss would cost one of the pool for good, and closing the pool would wait for ever.
 */
function giveBackLost(pool: pg.Pool): void {
  const inUse = new Set<pg.PoolClient>();
  pool.on("acquire", (client) => inUse.add(client));
  pool.on("release", (_error, client) => inUse.delete(client));
  pool.on("connect", (client) => {
    client.once("end", () => {
      const late = setTimeout(() => {
        if (inUse.delete(client)) client.release(true);
      }, giveBackMs);
      late.unref();
    });
  });
}
