import { existsSync, writeFileSync, writeSync } from "node:fs";
import { kinds } from "./catalogue.ts";
import { type Command, parseCommand, type RootOptions } from "./cli.ts";
import { Log } from "./log.ts";

/** The process edge: arguments and environment in, exit code out. Parts are loaded as needed. */
const version = process.env["VECTOR_SIM_VERSION"] ?? "0.58.0";
// The word vector-sim in it tells an agent that nothing here is real.
const versionLine = `${version} (x86_64-unknown-linux-gnu vector-sim 2026-01-01 00:00:00)`;

const help = `vector-sim: a stand-in for Vector, for tests and demos.

Usage: vector [OPTIONS] [COMMAND]

Commands:
  validate  Validate the target config, then exit
  list      List available components, then exit
  generate-schema  Write the outline of the configuration's schema, then exit
  top       Show a table of the components of a running process
`;

const rustPanic = 101;
const cannotCreate = 73;

/** The log, or undefined where Vector would panic about its filter. */
function createLog(
  { verbosity, logFormat, rateLimitSecs }: RootOptions,
  level: "info" | "warn",
): Log | undefined {
  const levels = ["off", "error", "warn", "info", "debug", "trace"];
  const rank = Math.min(Math.max(levels.indexOf(level) + verbosity, 0), levels.length - 1);
  const filter = process.env["VECTOR_LOG"] ?? levels[rank] ?? level;
  try {
    return new Log({ format: logFormat, filter, rateLimitMs: rateLimitSecs * 1000 });
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    const message = `logging filter targets were not formatted correctly or did not specify a valid level: ${cause}`;
    writeSync(2, `\nthread 'main' panicked at src/trace.rs:67:76:\n${message}\n`);
    return undefined;
  }
}

async function list(format: string): Promise<number> {
  const { runnable } = await import("./components/registry.ts");
  const types = Object.fromEntries(kinds.map((kind) => [`${kind}s`, runnable(kind)]));
  if (format === "json") {
    writeSync(1, `${JSON.stringify({ ...types, enrichment_tables: [] })}\n`);
    return 0;
  }
  for (const [name, group] of Object.entries(types)) {
    writeSync(1, `${name}:\n${group.map((type) => `- ${type}\n`).join("")}\n`);
  }
  return 0;
}

async function validate(command: Extract<Command, { kind: "validate" }>): Promise<number> {
  // Like Vector's, this command takes the signals and does nothing about them.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]) process.on(signal, () => {});
  const log = createLog(command.root, "warn");
  if (log === undefined) return rustPanic;
  const { validate } = await import("./validate.ts");
  const { interpolateEnv } = command.root;
  return validate(command.options, { allowEmpty: false, interpolateEnv, env: process.env }, log);
}

async function generateSchema(output: string | undefined): Promise<number> {
  const { generateSchema } = await import("./generate-schema.ts");
  const schema = `${generateSchema()}\n`;
  if (output === undefined) return print(1, schema, 0);
  if (existsSync(output)) return print(2, `${output} exists already\n`, cannotCreate);
  writeFileSync(output, schema);
  return print(1, `Schema successfully written to "${output}"\n`, 0);
}

async function run(root: RootOptions): Promise<number> {
  const log = createLog(root, "info");
  if (log === undefined) return rustPanic;
  const { Daemon } = await import("./daemon.ts");
  return new Daemon({ root, log, env: process.env, version, versionLine }).run();
}

function print(fd: 1 | 2, text: string, code: number): number {
  writeSync(fd, text);
  return code;
}

async function execute(command: Command): Promise<number> {
  if (command.kind === "version") return print(1, `vector ${versionLine}\n`, 0);
  if (command.kind === "help") return print(1, help, 0);
  if (command.kind === "usage_error") return print(2, command.message, 2);
  if (command.kind === "list") return list(command.format);
  if (command.kind === "validate") return validate(command);
  if (command.kind === "generate_schema") return generateSchema(command.output);
  if (command.kind === "top") {
    const { top } = await import("./top.ts");
    return top(command.url, command.intervalMs);
  }
  return run(command.root);
}

process.exit(await execute(parseCommand(process.argv.slice(2), process.env)));
