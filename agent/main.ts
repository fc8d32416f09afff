import { mkdir } from "node:fs/promises";
import { once } from "node:events";
import { systemClock } from "#common/clock.ts";
import { createLogger } from "#common/logger.ts";
import { version } from "#common/version.ts";
import { NotEnrolledError, firstIdentity, runAgent, type AgentDeps } from "./agent.ts";
import { UsageError, parseCommandLine, usage, type AgentConfig } from "./config.ts";
import { openClient } from "./control/channel.ts";
import { EnrollmentRefusedError } from "./control/enroll.ts";
import { defaultLimits } from "./process/limits.ts";
import { DataDirInUseError, lockDataDir } from "./state/data-dir-lock.ts";
import { IdentityStore } from "./state/identity.ts";
import { formatStatus, readStatus } from "./status.ts";

/** How much longer than Vector's drain the agent may take to end, before it is ended. */
const stopSpareMs = 5_000;

async function main(): Promise<number> {
  const { command, config } = parseCommandLine(process.argv.slice(2), process.env);
  const stop = new AbortController();
  switch (command) {
    case "help":
      process.stdout.write(usage);
      return 0;
    case "version":
      process.stdout.write(`${version}\n`);
      return 0;
    case "status": {
      const status = await readStatus(config.dataDir);
      process.stdout.write(
        `${config.json ? JSON.stringify(status, null, 2) : formatStatus(status)}\n`,
      );
      return 0;
    }
    case "enroll":
      return await enrollOnly(config, depsOf(config), stop.signal);
    case "run": {
      stopOnSignal(stop, config.drainSecs * 1_000 + stopSpareMs);
      await runAgent(config, depsOf(config), stop.signal);
      return 0;
    }
  }
}

function depsOf(config: AgentConfig): AgentDeps {
  return {
    clock: systemClock,
    log: createLogger((line) => process.stderr.write(line), config.logLevel),
    random: Math.random,
    env: process.env,
    limits: { ...defaultLimits, drainSecs: config.drainSecs },
  };
}

/** The first signal, or the end of the launcher, stops the agent in order; a second one ends it at once. */
function stopOnSignal(stop: AbortController, limitMs: number): void {
  const end = (): void => {
    if (stop.signal.aborted) process.exit(1);
    stop.abort();
    setTimeout(() => process.exit(1), limitMs).unref();
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  if (process.connected) void once(process, "disconnect").then(end);
}

async function enrollOnly(
  config: AgentConfig,
  deps: AgentDeps,
  signal: AbortSignal,
): Promise<number> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  await using _lock = await lockDataDir(config.dataDir);
  const identities = new IdentityStore(config.dataDir, deps.log);
  await identities.load();
  if (identities.identity !== undefined && !config.force) {
    process.stdout.write(`this host is enrolled already, as node ${identities.identity.nodeId}\n`);
    return 0;
  }
  const client = openClient(config.address);
  try {
    const identity = await firstIdentity(config, deps, client, identities, signal);
    process.stdout.write(`enrolled as node ${identity.nodeId} in ${identity.environmentName}\n`);
    return 0;
  } finally {
    client.close();
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const expected =
      error instanceof UsageError ||
      error instanceof NotEnrolledError ||
      error instanceof EnrollmentRefusedError ||
      error instanceof DataDirInUseError;
    const text = expected ? (error as Error).message : ((error as Error).stack ?? String(error));
    process.stderr.write(
      `${text}\n${error instanceof UsageError ? "\nSee node agent/main.ts --help\n" : ""}`,
    );
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
