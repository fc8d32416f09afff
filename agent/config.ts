import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs, type ParseArgsConfig } from "node:util";
import type { LogLevelName } from "#common/logger.ts";
import { problemOfRules, type RedactionRules } from "./inspection/redact.ts";
import { parseServerAddress, type ServerAddress } from "./control/channel.ts";

export type AgentCommand = "run" | "enroll" | "status" | "version" | "help";

export interface AgentConfig {
  /** As it was given. */
  readonly server: string;
  readonly address: ServerAddress;
  readonly token: string | undefined;
  readonly dataDir: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly logLevel: LogLevelName;
  /** What never leaves this host in sampled or tapped events, whatever the server says. */
  readonly redaction: RedactionRules;
  readonly force: boolean;
  readonly json: boolean;
}

/** All that is wrong with the command line and the environment. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const usage = `VectorFlow agent

Usage: node agent/main.ts <command> [options]

Commands:
  run       Enroll this host if that has not been done, then run its pipelines.
  enroll    Only enroll. With --force also when this host is enrolled already.
  status    Show what this host knows: identity, pipelines and their states.
  version   Print the version.

Options:
  --server ADDRESS    The agent plane: host:port, http://host:port or https://host:port.
                      Or VECTORFLOW_AGENT_SERVER.
  --token TOKEN       Enrollment token (vfe_…), needed once. A host that is enrolled keeps its
                      identity and does not use it. Or VECTORFLOW_ENROLLMENT_TOKEN.
  --token-file PATH   The same, read from a file. Or VECTORFLOW_ENROLLMENT_TOKEN_FILE.
  --data-dir PATH     Where identity, configurations and buffers are kept. Or
                      VECTORFLOW_AGENT_DATA_DIR. Default: /var/lib/vectorflow-agent for root,
                      ~/.local/state/vectorflow-agent for others.
  --label KEY=VALUE   Label to report with this host; can be repeated. Labels that select what a
                      host runs are set on the server.
  --ca-file PATH      Trust this certificate authority (PEM) for https instead of the system's.
  --redact-field GLOB Never let the values of these fields out in sampled or tapped events, as in
                      user.email or *.iban; can be repeated. Or VECTORFLOW_AGENT_REDACT_FIELDS,
                      with commas between.
  --redact-value REGEX
                      The same for what matches in texts and numbers; can be repeated. Or
                      VECTORFLOW_AGENT_REDACT_VALUES, one to a line. Well-known secrets never leave.
  --log-level LEVEL   debug, info (default), warn or error.
  --force             With enroll: replace the identity that is there.
  --json              With status: print JSON.
  --help              Show this text.

Vector is taken from VECTOR_BIN, else from the PATH, else the newest one below
<data-dir>/vector/<version>/bin/vector.
`;

const options = {
  server: { type: "string" },
  token: { type: "string" },
  "token-file": { type: "string" },
  "data-dir": { type: "string" },
  label: { type: "string", multiple: true },
  "ca-file": { type: "string" },
  "redact-field": { type: "string", multiple: true },
  "redact-value": { type: "string", multiple: true },
  "log-level": { type: "string" },
  force: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} satisfies ParseArgsConfig["options"];

const commands: readonly AgentCommand[] = ["run", "enroll", "status", "version", "help"];
const levels: readonly LogLevelName[] = ["debug", "info", "warn", "error"];

type Environment = Readonly<Record<string, string | undefined>>;

/** The data directory when none is named. */
export function defaultDataDir(isRoot: boolean): string {
  return isRoot ? "/var/lib/vectorflow-agent" : join(homedir(), ".local/state/vectorflow-agent");
}

/** Reads the command line and the environment. Throws a UsageError with every problem at once. */
export function parseCommandLine(
  args: readonly string[],
  env: Environment,
  readFile: (path: string) => Buffer = (path) => readFileSync(path),
): { readonly command: AgentCommand; readonly config: AgentConfig } {
  const { values, positionals } = parseFlags(args);
  const problems: string[] = [];
  const asked = values.help === true ? "help" : positionals[0];
  const command = commands.find((name) => name === asked);
  if (command === undefined) {
    problems.push(
      asked === undefined
        ? "a command is needed: run, enroll, status or version"
        : `unknown command ${asked}`,
    );
  }
  if (positionals.length > 1) problems.push(`unexpected argument ${positionals[1]}`);
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
  const needsServer = command === "run" || command === "enroll";
  if (server === undefined && needsServer) problems.push("--server is needed");
  const address = parseServerAddress(server ?? "127.0.0.1:8081");
  if (address === undefined) problems.push(`--server ${server} is no host:port or http(s) address`);
  const tokenFile = set(values["token-file"], "VECTORFLOW_ENROLLMENT_TOKEN_FILE");
  const fromFile = read(tokenFile, "--token-file")?.toString("utf8").trim();
  const level = levels.find((name) => name === (values["log-level"] ?? "info"));
  if (level === undefined) problems.push(`--log-level must be one of ${levels.join(", ")}`);
  const labels: Record<string, string> = {};
  for (const label of values.label ?? []) {
    const [, key, value] = /^([A-Za-z0-9][A-Za-z0-9_./-]{0,62})=(.{0,200})$/.exec(label) ?? [];
    if (key === undefined || value === undefined) problems.push(`--label ${label} is no KEY=VALUE`);
    else labels[key] = value;
  }
  const ca = read(values["ca-file"], "--ca-file");
  const listed = (key: string, separator: string): string[] =>
    (env[key] ?? "").split(separator).filter((part) => part.trim() !== "");
  const redaction: RedactionRules = {
    fieldGlobs: values["redact-field"] ?? listed("VECTORFLOW_AGENT_REDACT_FIELDS", ","),
    valuePatterns: values["redact-value"] ?? listed("VECTORFLOW_AGENT_REDACT_VALUES", "\n"),
  };
  const unusable = problemOfRules(redaction);
  if (unusable !== undefined) problems.push(unusable);
  if (problems.length > 0) throw new UsageError(problems.join("\n"));
  return {
    command: command ?? "help",
    config: {
      server: server ?? "",
      address: { target: "", tls: false, ...address, ca },
      token: set(values.token, "VECTORFLOW_ENROLLMENT_TOKEN") ?? fromFile,
      dataDir: resolve(
        set(values["data-dir"], "VECTORFLOW_AGENT_DATA_DIR") ??
          defaultDataDir(process.getuid?.() === 0),
      ),
      labels,
      redaction,
      logLevel: level ?? "info",
      force: values.force === true,
      json: values.json === true,
    },
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split("\n", 1)[0]}`, { cause: error });
  }
}
