import { once } from "node:events";
import type { MikroORM } from "@mikro-orm/postgresql";
import { systemClock } from "#common/clock.ts";
import { createLogger, type Logger } from "#common/logger.ts";
import { version } from "#common/version.ts";
import { verifyAudit } from "./audit/verify.ts";
import { ConfigError, parseConfig, type ServerConfig } from "./config.ts";
import { rotateSealed } from "./crypto/rotation.ts";
import { migrate } from "./db/migrate.ts";
import { openOrm } from "./db/orm.ts";
import { ListenError } from "./http-port.ts";
import type { Scope } from "./scope.ts";
import { openDatabase, openVault, startServer } from "./server.ts";

const usage = `VectorFlow server ${version}

Usage: node server/main.ts <command>

Commands:
  serve     Run the server: web client and API, agent plane, and the embedded database unless
            VECTORFLOW_DATABASE_URL names another.
  migrate   Bring the database up to date and exit. serve does so by itself.
  audit verify
            Check the hash chain of the audit. Exits with 1 and names the first row that does not
            fit, when one was changed, removed or put in. Prints the hash of the last row: kept
            elsewhere, it shows later whether rows were cut off the end. With the embedded
            database the server must be stopped.
  rotate-secret [--dry-run]
            Encrypt everything at rest anew with VECTORFLOW_SECRET that VECTORFLOW_SECRET_PREVIOUS
            encrypted. Servers that know both go on meanwhile. Safe to repeat. Exits with 1 and
            names the rows, when some are readable with neither. --dry-run changes nothing. With
            the embedded database the server must be stopped. See docs/secrets.md.
  version   Print the version.

Everything is configured by environment variables: see docs/configuration.md.
`;

function print(text: string): void {
  process.stdout.write(text);
}

const commands = new Set([
  "serve",
  "migrate",
  "audit verify",
  "rotate-secret",
  "rotate-secret --dry-run",
  "version",
]);

async function main(): Promise<number> {
  const command = process.argv.slice(2).join(" ");
  if (!commands.has(command)) {
    if (["", "help", "--help", "-h"].includes(command)) {
      print(usage);
      return command === "" ? 2 : 0;
    }
    process.stderr.write(`unknown arguments: ${command}\n\n${usage}`);
    return 2;
  }
  if (command === "version") {
    print(`${version}\n`);
    return 0;
  }
  const { config, warnings } = parseConfig(process.env);
  const log = createLogger((line) => process.stderr.write(line), config.logLevel);
  for (const key of warnings) log.warn("unknown environment variable is ignored", { key });
  if (command === "migrate") return withDatabase(config, log, migrateOnly);
  if (command === "audit verify") return withDatabase(config, log, verifyAuditOnly);
  if (command.startsWith("rotate-secret")) {
    const dryRun = command.endsWith("--dry-run");
    return withDatabase(config, log, (orm) => rotateSecret(orm, config, log, dryRun));
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

/** Runs a command that needs the database and not the server. */
async function withDatabase(
  config: ServerConfig,
  log: Logger,
  work: (orm: MikroORM, url: string, log: Logger) => Promise<number>,
): Promise<number> {
  const stop = new AbortController();
  await using database = await openDatabase(config, log, stop.signal);
  const orm = await openOrm(database.url, 2);
  try {
    return await work(orm, database.url, log);
  } finally {
    await orm.close(true);
  }
}

async function migrateOnly(orm: MikroORM, url: string, log: Logger): Promise<number> {
  await migrate(orm, url, new Date(), log);
  log.info("database is up to date");
  return 0;
}

async function verifyAuditOnly(orm: MikroORM): Promise<number> {
  const verdict = await verifyAudit(orm.em.fork());
  if (verdict.kind === "intact") {
    print(`the audit is intact: ${verdict.rows} rows, head ${verdict.head || "none"}\n`);
    return 0;
  }
  const { sequence, id, reason } = verdict;
  process.stderr.write(`the audit is broken at row ${sequence} (id ${id}): ${reason}\n`);
  return 1;
}

async function rotateSecret(
  orm: MikroORM,
  config: ServerConfig,
  log: Logger,
  dryRun: boolean,
): Promise<number> {
  const scope: Scope = {
    em: orm.em.fork(),
    actor: { kind: "system" },
    clock: systemClock,
    log,
    signal: new AbortController().signal,
  };
  const { sealer } = await openVault(config);
  const columns = await rotateSealed(scope, sealer, { dryRun });
  for (const { name, current, rotated, unreadable } of columns) {
    print(`${name}: ${rotated} ${dryRun ? "to rotate" : "rotated"}, ${current} current\n`);
    for (const id of unreadable) {
      process.stderr.write(`${name} of row ${id} cannot be read with any known secret\n`);
    }
  }
  const unreadable = columns.reduce((total, column) => total + column.unreadable.length, 0);
  print(
    unreadable > 0
      ? `${unreadable} values cannot be read: keep VECTORFLOW_SECRET_PREVIOUS, or set it to the secret that made them\n`
      : dryRun
        ? "nothing was changed\n"
        : "everything is under VECTORFLOW_SECRET: VECTORFLOW_SECRET_PREVIOUS can be removed\n",
  );
  return unreadable > 0 ? 1 : 0;
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
