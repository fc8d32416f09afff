import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { LogLevelName } from "#common/logger.ts";
import { problemOfRules, type RedactionRules } from "./inspection/redact.ts";
import { ProxyError, isLoopback } from "./control/proxy.ts";
import { isExposed, serverAddress, type ServerAddress } from "./control/server-address.ts";
import { ExpectedError } from "./expected-error.ts";
import { commandNames, parseOptions, takesFlag, type CommandName } from "./flags.ts";

export interface AgentConfig {
  /** As it was given; empty when none was. */
  readonly server: string;
  readonly address: ServerAddress;
  readonly token: string | undefined;
  readonly dataDir: string;
  /** The host's own rules; undefined when it has none. */
  readonly policyPath: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** How long a Vector that shall end may deliver what it holds. */
  readonly drainSecs: number;
  readonly logLevel: LogLevelName;
  /** Where the health page listens; undefined for nowhere. */
  readonly health: HealthAddress | undefined;
  /** What never leaves this host in sampled or tapped events, whatever the server says. */
  readonly redaction: RedactionRules;
  readonly force: boolean;
  readonly json: boolean;
}

export interface HealthAddress {
  readonly host: string;
  readonly port: number;
}

/** All that is wrong with the command line and the environment. */
export class UsageError extends ExpectedError {
  override readonly name = "UsageError";
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The flags as they were given, for the commands that have some of their own. */
export type FlagValues = ReturnType<typeof parseFlags>["values"];

export interface CommandLine {
  /** `help` without a command is the overview. */
  readonly command: CommandName | "help";
  /** The command that help is wanted about. */
  readonly topic: CommandName | undefined;
  readonly config: AgentConfig;
  readonly flags: FlagValues;
  /** The version for install-vector. */
  readonly argument: string | undefined;
}

const levels: readonly LogLevelName[] = ["debug", "info", "warn", "error"];

/** The data directory when none is named. */
export function defaultDataDir(isRoot: boolean): string {
  return isRoot ? "/var/lib/vectorflow-agent" : join(homedir(), ".local/state/vectorflow-agent");
}

/** Where an installed service answers about its health, unless another place is named. */
export const defaultHealthListen = "127.0.0.1:8095";

/** Reads the command line and the environment. Throws a UsageError with every problem at once. */
export function parseCommandLine(
  args: readonly string[],
  env: Environment,
  readFile: (path: string) => Buffer = (path) => readFileSync(path),
): CommandLine {
  const { values, positionals } = parseFlags(args);
  const problems: string[] = [];
  const topic = commandNames.find((name) => name === positionals[0]);
  const command = values.help === true || positionals[0] === "help" ? "help" : topic;
  if (command === undefined) {
    problems.push(
      positionals[0] === undefined
        ? `a command is needed: ${commandNames.join(", ")}`
        : `unknown command ${positionals[0]}`,
    );
  }
  const argument = command === "install-vector" ? positionals[1] : undefined;
  const extra = positionals[argument === undefined ? 1 : 2];
  if (extra !== undefined && command !== "help") problems.push(`unexpected argument ${extra}`);
  if (command !== undefined && command !== "help") {
    for (const flag of Object.keys(values)) {
      if (!takesFlag(command, flag)) problems.push(`${command} takes no --${flag}`);
    }
  }
  const config = readConfig(values, env, readFile, problems, command ?? "help");
  if (problems.length > 0) throw new UsageError(problems.join("\n"));
  return { command: command ?? "help", topic, config, flags: values, argument };
}

function readConfig(
  values: FlagValues,
  env: Environment,
  readFile: (path: string) => Buffer,
  problems: string[],
  command: CommandName | "help",
): AgentConfig {
  const set = (flag: string | undefined, key: string): string | undefined =>
    flag ?? (env[key] || undefined);
  const read = (path: string | undefined, what: string): Buffer | undefined => {
    if (path === undefined) return undefined;
    try {
      return readFile(path);
    } catch (error) {
      problems.push(`${what} cannot be read: ${(error as Error).message}`);
      return undefined;
    }
  };
  const server = set(values.server, "VECTORFLOW_AGENT_SERVER");
  const needsServer = command === "run" || command === "enroll" || command === "install";
  if (server === undefined && needsServer) problems.push("--server is needed");
  const ca = read(values["ca-file"], "--ca-file");
  const address = readAddress(server ?? "127.0.0.1:8081", env, ca, problems);
  if (needsServer && isExposed(address) && values["allow-plaintext"] !== true) {
    problems.push(
      `the connection to ${address.target} would not be encrypted: use https:// (the server takes VECTORFLOW_TLS_CERT and VECTORFLOW_TLS_KEY), or give --allow-plaintext on a network that you trust`,
    );
  }
  const tokenFile = set(values["token-file"], "VECTORFLOW_ENROLLMENT_TOKEN_FILE");
  const fromFile = read(tokenFile, "--token-file")?.toString("utf8").trim();
  const level = levels.find((name) => name === (values["log-level"] ?? "info"));
  if (level === undefined) problems.push(`--log-level must be one of ${levels.join(", ")}`);
  const policy = set(values.policy, "VECTORFLOW_AGENT_POLICY");
  const drainSecs = Number(values["drain-limit"] ?? "60");
  if (!Number.isInteger(drainSecs) || drainSecs < 1 || drainSecs > 3600) {
    problems.push("--drain-limit must be a whole number of seconds from 1 to 3600");
  }
  const healthText = set(values["health-listen"], "VECTORFLOW_AGENT_HEALTH_LISTEN");
  return {
    server: server ?? "",
    address,
    token: set(values.token, "VECTORFLOW_ENROLLMENT_TOKEN") ?? fromFile,
    dataDir: resolve(
      set(values["data-dir"], "VECTORFLOW_AGENT_DATA_DIR") ??
        defaultDataDir(process.getuid?.() === 0),
    ),
    policyPath: policy === undefined ? undefined : resolve(policy),
    labels: readLabels(values.label ?? [], problems),
    drainSecs,
    logLevel: level ?? "info",
    redaction: readRedaction(values, env, problems),
    health: readHealth(healthText, values["health-public"] === true, problems),
    force: values.force === true,
    json: values.json === true,
  };
}

function readAddress(
  server: string,
  env: Environment,
  ca: Buffer | undefined,
  problems: string[],
): ServerAddress {
  try {
    const address = serverAddress(server, env, ca);
    if (address !== undefined) return address;
    problems.push(`--server ${server} is no host:port or http(s) address`);
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    problems.push(error.message);
  }
  return { host: "localhost", port: 0, target: "", tls: false, ca, proxy: undefined };
}

function readLabels(labels: readonly string[], problems: string[]): Record<string, string> {
  const read: Record<string, string> = {};
  for (const label of labels) {
    const [, key, value] = /^([A-Za-z0-9][A-Za-z0-9_./-]{0,62})=(.{0,200})$/.exec(label) ?? [];
    if (key === undefined || value === undefined) problems.push(`--label ${label} is no KEY=VALUE`);
    else read[key] = value;
  }
  return read;
}

function readRedaction(values: FlagValues, env: Environment, problems: string[]): RedactionRules {
  const listed = (key: string, separator: string): string[] =>
    (env[key] ?? "").split(separator).filter((part) => part.trim() !== "");
  const rules: RedactionRules = {
    fieldGlobs: values["redact-field"] ?? listed("VECTORFLOW_AGENT_REDACT_FIELDS", ","),
    valuePatterns: values["redact-value"] ?? listed("VECTORFLOW_AGENT_REDACT_VALUES", "\n"),
  };
  const unusable = problemOfRules(rules);
  if (unusable !== undefined) problems.push(unusable);
  return rules;
}

function readHealth(
  text: string | undefined,
  isPublic: boolean,
  problems: string[],
): HealthAddress | undefined {
  if (text === undefined || text === "off") return undefined;
  const [, host = "", digits] = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (host === "" || port > 65_535) {
    problems.push(`--health-listen ${text} is no HOST:PORT`);
    return undefined;
  }
  if (!isLoopback(host) && !isPublic) {
    problems.push(
      `--health-listen ${text} could be reached by other machines: use 127.0.0.1, or give --health-public too`,
    );
  }
  return { host: host.replace(/^\[|\]$/g, ""), port };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: parseOptions,
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split("\n", 1)[0]}`, { cause: error });
  }
}
