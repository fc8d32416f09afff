import { once } from "node:events";
import { createLogger } from "#common/logger.ts";
import { version } from "#common/version.ts";
import { ConfigError, parseConfig } from "./config.ts";
import { migrate } from "./db/migrate.ts";
import { openOrm } from "./db/orm.ts";
import { ListenError } from "./http-listener.ts";
import { openDatabase, startServer } from "./server.ts";

const usage = `VectorFlow server ${version}

Usage: node server/main.ts <command>

Commands:
  serve     Run the server: web client and API, agent plane, and the embedded database unless
            VECTORFLOW_DATABASE_URL names another.
  migrate   Bring the database up to date and exit. serve does so by itself.
  version   Print the version.

Everything is configured by environment variables: see docs/configuration.md.
`;

function print(text: string): void {
  process.stdout.write(text);
}

async function main(): Promise<number> {
  const [command, ...rest] = process.argv.slice(2);
  if (
    rest.length > 0 ||
    command === undefined ||
    !["serve", "migrate", "version"].includes(command)
  ) {
    const asked =
      command === undefined || command === "help" || command === "--help" || command === "-h";
    if (asked && rest.length === 0) {
      print(usage);
      return command === undefined ? 2 : 0;
    }
    process.stderr.write(`unknown arguments: ${process.argv.slice(2).join(" ")}\n\n${usage}`);
    return 2;
  }
  if (command === "version") {
    print(`${version}\n`);
    return 0;
  }
  const { config, warnings } = parseConfig(process.env);
  const log = createLogger((line) => process.stderr.write(line), config.logLevel);
  for (const key of warnings) log.warn("unknown environment variable is ignored", { key });
  if (command === "migrate") {
    const stop = new AbortController();
    await using database = await openDatabase(config, log, stop.signal);
    const orm = await openOrm(database.url, 2);
    try {
      await migrate(orm, database.url, new Date(), log);
    } finally {
      await orm.close(true);
    }
    log.info("database is up to date");
    return 0;
  }
  // The signals are listened for from the start: one that comes while the database starts must not kill it.
  const signaled = Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
  await using server = await startServer(config, log);
  log.info("server started", {
    web: server.webUrl,
    agents: server.agentUrl,
    listening: server.listening,
    // The first run, guarded by a token that works once.
    setup: server.setupUrl,
  });
  await Promise.race([signaled, orphaned(), server.failed]);
  log.info("server is shutting down");
  return 0;
}

/** Settles when the launcher that started this process is gone; never without one. */
async function orphaned(): Promise<void> {
  if (!process.connected) return new Promise(() => {});
  await once(process, "disconnect");
}

main().then(
  // Everything has been closed; nothing that a library still holds shall keep the process.
  (code) => process.exit(code),
  (error: unknown) => {
    const expected = error instanceof ConfigError || error instanceof ListenError;
    const text = expected ? error.message : ((error as Error).stack ?? String(error));
    process.stderr.write(`${text}\n`);
    process.exit(1);
  },
);
