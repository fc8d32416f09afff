import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { UsageError, messageOf } from "./failures.ts";
import { argumentOf, commandNames, type CommandName } from "./command-table.ts";
import { parseOptions, takesFlag } from "./flags.ts";

export const outputFormats = ["table", "json", "yaml"] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** Where the server is, and as whom to speak to it. */
export interface Connection {
  /** `http://host:port` or `https://host:port`. */
  readonly baseUrl: string;
  readonly token: string;
  /** PEM of the authority to trust instead of the system's. */
  readonly ca: string | undefined;
}

/** The flags as they were given. */
export type FlagValues = ReturnType<typeof parseFlags>["values"];

export type CommandLine =
  | { readonly kind: "help"; readonly words: readonly string[] }
  | {
      readonly kind: "command";
      readonly command: CommandName;
      /** A name; undefined when none was given. */
      readonly argument: string | undefined;
      readonly flags: FlagValues;
      readonly output: OutputFormat;
      /** By name or id; undefined for the only one. */
      readonly environment: string | undefined;
      /** Undefined for commands that need no server. */
      readonly connection: Connection | undefined;
      /** How long to wait for hosts; 0 not at all. */
      readonly waitMs: number;
    };

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the command line and the environment. Throws a UsageError with every problem at once. */
export function parseCommandLine(
  args: readonly string[],
  env: Environment,
  readFile: (path: string) => string = (path) => readFileSync(path, "utf8"),
): CommandLine {
  const { values: flags, positionals } = parseFlags(args);
  const [first, second] = positionals;
  if (first === "help") return { kind: "help", words: positionals.slice(1) };
  if (flags.help === true || first === undefined) return { kind: "help", words: positionals };
  const command = commandNames.find((name) => name === first || name === `${first} ${second}`);
  if (command === undefined) throw new UsageError(unknownCommand(first, second));
  const problems: string[] = [];
  const [argument, ...extra] = positionals.slice(command.split(" ").length);
  checkArgument(command, argument, extra, problems);
  for (const flag of Object.keys(flags)) {
    if (!takesFlag(command, flag)) problems.push(`${command} takes no --${flag}`);
  }
  const output = outputFormats.find((name) => name === (flags.output ?? "table"));
  if (output === undefined) problems.push(`--output must be one of ${outputFormats.join(", ")}`);
  const connection =
    command === "version" ? undefined : readConnection(flags, env, readFile, problems);
  const waitSecs = Number(flags.wait ?? "300");
  if (!Number.isInteger(waitSecs) || waitSecs < 0 || waitSecs > 86_400) {
    problems.push("--wait must be a whole number of seconds from 0 to 86400");
  }
  if (problems.length > 0) throw new UsageError(problems.join("\n"));
  return {
    kind: "command",
    command,
    argument,
    flags,
    output: output ?? "table",
    environment: flags.environment ?? (env["VECTORFLOW_ENVIRONMENT"] || undefined),
    connection,
    waitMs: waitSecs * 1_000,
  };
}

function checkArgument(
  command: CommandName,
  argument: string | undefined,
  extra: readonly string[],
  problems: string[],
): void {
  const wanted = argumentOf(command);
  if ((wanted === "NAME" || wanted === "PATH") && argument === undefined) {
    problems.push(`${command} needs a ${wanted}`);
  }
  const unexpected = wanted === undefined ? argument : extra[0];
  if (unexpected !== undefined) {
    problems.push(`unexpected argument ${unexpected}: quote a name that has spaces`);
  }
}

function unknownCommand(first: string, second: string | undefined): string {
  const group = commandNames.filter((name) => name.startsWith(`${first} `));
  if (group.length === 0) return `unknown command ${first}`;
  const words = group.map((name) => name.slice(first.length + 1)).join(", ");
  return second === undefined
    ? `${first} needs one of: ${words}`
    : `unknown command ${first} ${second}: there is ${words}`;
}

function readConnection(
  flags: FlagValues,
  env: Environment,
  readFile: (path: string) => string,
  problems: string[],
): Connection {
  const set = (flag: string | undefined, key: string): string | undefined =>
    flag ?? (env[key] || undefined);
  const read = (path: string | undefined, what: string): string | undefined => {
    if (path === undefined) return undefined;
    try {
      return readFile(path);
    } catch (error) {
      problems.push(`${what} cannot be read: ${messageOf(error)}`);
      return undefined;
    }
  };
  const server = set(flags.server, "VECTORFLOW_SERVER") ?? "http://127.0.0.1:8080";
  const url = URL.parse(server);
  if (!isPlainAddress(url)) {
    problems.push(`--server ${server} is no http://host:port or https://host:port`);
  } else if (
    url.protocol === "http:" &&
    !isLoopback(url.hostname) &&
    flags["allow-plaintext"] !== true
  ) {
    problems.push(
      `the connection to ${url.host} would not be encrypted, and the token could be read on the way: use https://, or give --allow-plaintext on a network that you trust`,
    );
  }
  const before = problems.length;
  // A file that was named on the command line is meant, whatever the environment has.
  const file = flags["token-file"];
  const token =
    read(file, "--token-file") ??
    (file === undefined ? env["VECTORFLOW_TOKEN"] || undefined : undefined) ??
    read(
      file === undefined ? env["VECTORFLOW_TOKEN_FILE"] || undefined : undefined,
      "VECTORFLOW_TOKEN_FILE",
    );
  const trimmed = token?.trim() ?? "";
  if (problems.length === before && !/^[\x21-\x7e]+$/.test(trimmed)) {
    problems.push(
      trimmed === ""
        ? "an API token is needed: make one in the web client, on the team's page, and give it by --token-file or VECTORFLOW_TOKEN"
        : "the API token has characters that no token has",
    );
  }
  return {
    baseUrl: url?.origin ?? "",
    token: trimmed,
    ca: read(set(flags["ca-file"], "VECTORFLOW_CA_FILE"), "--ca-file"),
  };
}

function isPlainAddress(url: URL | null): url is URL {
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.hostname === "")
    return false;
  return url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "";
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function parseFlags(args: readonly string[]) {
  if (args.some((arg) => arg === "--token" || arg.startsWith("--token="))) {
    throw new UsageError(
      "there is no --token, because every user of this machine could read it: give the token by --token-file or VECTORFLOW_TOKEN",
    );
  }
  try {
    return parseArgs({
      args: [...args],
      options: parseOptions,
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    throw new UsageError(`${messageOf(error).split("\n", 1)[0]}`, { cause: error });
  }
}
