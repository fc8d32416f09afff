import { once } from "node:events";
import { systemClock } from "#common/clock.ts";
import { createLogger } from "#common/logger.ts";
import { version } from "#common/version.ts";
import type { AgentDeps } from "./agent.ts";
import type { CommandContext } from "./commands/context.ts";
import { UsageError, parseCommandLine, type AgentConfig } from "./config.ts";
import { ExpectedError } from "./expected-error.ts";
import { helpText, type CommandName } from "./flags.ts";
import { defaultLimits } from "./process/limits.ts";
import { secretsCommand } from "./secrets/helper-command.ts";
import { programName } from "./self-command.ts";

/** How much longer than Vector's drain the agent may take to end, before it is ended. */
const stopSpareMs = 5_000;

/** Loaded when they are asked for: a host pays for what it uses. */
const commands = {
  run: async (context) => (await import("./commands/run.ts")).run(context),
  enroll: async (context) => (await import("./commands/enroll.ts")).enroll(context),
  status: async (context) => (await import("./commands/status.ts")).status(context),
  doctor: async (context) => (await import("./commands/doctor.ts")).doctor(context),
  install: async (context) => (await import("./commands/install.ts")).install(context),
  uninstall: async (context) => (await import("./commands/uninstall.ts")).uninstall(context),
  "support-bundle": async (context) =>
    (await import("./commands/support-bundle.ts")).supportBundle(context),
  "install-vector": async (context) =>
    (await import("./commands/install-vector.ts")).installVectorCommand(context),
  version: async ({ print }) => {
    print(version);
    return 0;
  },
} satisfies Record<CommandName, (context: CommandContext) => Promise<number>>;

async function main(): Promise<number> {
  const [own, ...rest] = process.argv.slice(2);
  if (own === secretsCommand) {
    await (await import("./secrets/helper.ts")).answerVector(rest);
    return 0;
  }
  const { command, topic, config, ...more } = parseCommandLine(process.argv.slice(2), process.env);
  if (command === "help") {
    process.stdout.write(helpText(programName(), topic));
    return 0;
  }
  const stop = new AbortController();
  stopOnSignal(stop, config.drainSecs * 1_000 + stopSpareMs);
  return await commands[command]({
    ...more,
    config,
    deps: depsOf(config),
    signal: stop.signal,
    print: (text) => process.stdout.write(`${text}\n`),
  });
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

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const text =
      error instanceof ExpectedError ? error.message : ((error as Error).stack ?? String(error));
    process.stderr.write(
      `${text}\n${error instanceof UsageError ? `\nSee ${programName()} --help\n` : ""}`,
    );
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
