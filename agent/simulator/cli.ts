/** Where a config file is, and the format that was asked for (else its extension tells). */
export interface ConfigPath {
  readonly path: string;
  readonly format: "yaml" | "json" | "toml" | undefined;
}

export interface RootOptions {
  readonly configs: readonly ConfigPath[];
  readonly logFormat: "text" | "json";
  /** Steps from the command's own level: up with -v, down with -q. */
  readonly verbosity: number;
  readonly rateLimitSecs: number;
  readonly requireHealthy: boolean | undefined;
  readonly allowEmpty: boolean;
  readonly interpolateEnv: boolean;
  /** undefined: no limit. */
  readonly gracefulLimitSecs: number | undefined;
}

export interface ValidateOptions {
  readonly configs: readonly ConfigPath[];
  readonly noEnvironment: boolean;
  readonly skipHealthchecks: boolean;
  readonly denyWarnings: boolean;
}

export type Command =
  | { readonly kind: "version" }
  | { readonly kind: "help" }
  | { readonly kind: "usage_error"; readonly message: string }
  | { readonly kind: "run"; readonly root: RootOptions }
  | { readonly kind: "validate"; readonly root: RootOptions; readonly options: ValidateOptions }
  | { readonly kind: "list"; readonly root: RootOptions; readonly format: string }
  | { readonly kind: "generate_schema"; readonly output: string | undefined }
  | { readonly kind: "top"; readonly url: string; readonly intervalMs: number };

type Env = Readonly<Record<string, string | undefined>>;

class UsageError extends Error {}

/** A flag: `value` takes a parameter, `switch` does not, `count` may be repeated. */
type Flags = Readonly<
  Record<
    string,
    { readonly takes: "value" | "switch" | "count"; readonly short?: string; readonly env?: string }
  >
>;

const configFlags: Flags = {
  "config-yaml": { takes: "value", env: "VECTOR_CONFIG_YAML" },
  "config-json": { takes: "value", env: "VECTOR_CONFIG_JSON" },
  "config-toml": { takes: "value", env: "VECTOR_CONFIG_TOML" },
  "dangerously-allow-env-var-interpolation": {
    takes: "switch",
    env: "VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION",
  },
};
/** Versions from 0.52 to 0.56 replace variables unless they are told not to. */
const noInterpolationFlags: Flags = {
  "disable-env-var-interpolation": {
    takes: "switch",
    env: "VECTOR_DISABLE_ENV_VAR_INTERPOLATION",
  },
};

/** The flags that say what a configuration is, for the version that vector-sim says it is. */
function configFlagsOf(env: Env): Flags {
  return isFrom052To056(env) ? { ...configFlags, ...noInterpolationFlags } : configFlags;
}

function isFrom052To056(env: Env): boolean {
  const minor = Number(/^0\.(\d+)\./.exec(env["VECTOR_SIM_VERSION"] ?? "")?.[1] ?? "58");
  return minor >= 52 && minor <= 56;
}

/** Whether variables in the configuration are replaced. */
function interpolates(read: Read, env: Env): boolean {
  return isFrom052To056(env)
    ? !isOn(read, "disable-env-var-interpolation")
    : isOn(read, "dangerously-allow-env-var-interpolation");
}
const rootFlags: Flags = {
  ...configFlags,
  config: { takes: "value", short: "c", env: "VECTOR_CONFIG" },
  "require-healthy": { takes: "value", short: "r", env: "VECTOR_REQUIRE_HEALTHY" },
  threads: { takes: "value", short: "t", env: "VECTOR_THREADS" },
  verbose: { takes: "count", short: "v" },
  quiet: { takes: "count", short: "q" },
  "log-format": { takes: "value", env: "VECTOR_LOG_FORMAT" },
  color: { takes: "value", env: "VECTOR_COLOR" },
  "internal-log-rate-limit": { takes: "value", short: "i", env: "VECTOR_INTERNAL_LOG_RATE_LIMIT" },
  "graceful-shutdown-limit-secs": { takes: "value", env: "VECTOR_GRACEFUL_SHUTDOWN_LIMIT_SECS" },
  "no-graceful-shutdown-limit": { takes: "switch", env: "VECTOR_NO_GRACEFUL_SHUTDOWN_LIMIT" },
  "allow-empty-config": { takes: "switch", env: "VECTOR_ALLOW_EMPTY_CONFIG" },
  version: { takes: "switch", short: "V" },
  help: { takes: "switch", short: "h" },
};
const validateFlags: Flags = {
  ...configFlags,
  "no-environment": { takes: "switch" },
  "skip-healthchecks": { takes: "switch" },
  "deny-warnings": { takes: "switch", short: "d" },
};
const listFlags: Flags = { format: { takes: "value" } };
const schemaFlags: Flags = { output: { takes: "value", short: "o" } };
const topFlags: Flags = {
  interval: { takes: "value", short: "i" },
  url: { takes: "value", short: "u" },
  components: { takes: "value", short: "c" },
};

/** Reads the command line and Vector's environment variables. Never throws. */
export function parseCommand(argv: readonly string[], env: Env): Command {
  try {
    return parse(argv, env);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return {
      kind: "usage_error",
      message: `error: ${error.message}\n\nFor more information, try '--help'.\n`,
    };
  }
}

function parse(argv: readonly string[], env: Env): Command {
  const root = readFlags(
    argv,
    { ...rootFlags, ...configFlagsOf(env) },
    env,
    "vector [OPTIONS] [COMMAND]",
    true,
  );
  if (root.given.has("version")) return { kind: "version" };
  if (root.given.has("help")) return { kind: "help" };
  const [command, ...rest] = root.rest;
  const options = rootOptions(root, env);
  if (command === undefined) return { kind: "run", root: options };
  if (command === "list") {
    const { given } = readFlags(rest, listFlags, env, "vector list [OPTIONS]", false);
    return { kind: "list", root: options, format: given.get("format")?.at(-1) ?? "text" };
  }
  if (command === "generate-schema") {
    const { given } = readFlags(rest, schemaFlags, env, "vector generate-schema [OPTIONS]", false);
    return { kind: "generate_schema", output: given.get("output")?.at(-1) };
  }
  if (command === "top") {
    const read = readFlags(rest, topFlags, env, "vector top [OPTIONS]", false);
    const url = read.given.get("url")?.at(-1) ?? "http://127.0.0.1:8686";
    return { kind: "top", url, intervalMs: integer(read, "interval", 1000, 100) };
  }
  if (command !== "validate") throw new UsageError(`unrecognized subcommand '${command}'`);
  const read = readFlags(
    rest,
    { ...validateFlags, ...configFlagsOf(env) },
    env,
    "vector validate [OPTIONS] [PATHS]...",
    false,
  );
  const positional = read.rest.length > 0 ? read.rest : list(env["VECTOR_CONFIG"]);
  const validateRoot = {
    ...options,
    interpolateEnv: isFrom052To056(env)
      ? options.interpolateEnv && interpolates(read, env)
      : options.interpolateEnv || interpolates(read, env),
  };
  return {
    kind: "validate",
    root: validateRoot,
    options: {
      configs: [...positional.map((path) => ({ path, format: undefined })), ...formatted(read)],
      noEnvironment: isOn(read, "no-environment"),
      skipHealthchecks: isOn(read, "skip-healthchecks"),
      denyWarnings: isOn(read, "deny-warnings"),
    },
  };
}

interface Read {
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly rest: readonly string[];
}

const list = (text: string | undefined): string[] =>
  (text ?? "").split(",").filter((part) => part !== "");
const isOn = (read: Read, name: string): boolean => read.given.get(name)?.at(-1) === "true";

function formatted(read: Read): ConfigPath[] {
  return (["toml", "json", "yaml"] as const).flatMap((format) =>
    (read.given.get(`config-${format}`) ?? []).flatMap(list).map((path) => ({ path, format })),
  );
}

function rootOptions(read: Read, env: Env): RootOptions {
  const logFormat = read.given.get("log-format")?.at(-1) ?? "text";
  if (logFormat !== "text" && logFormat !== "json") {
    throw new UsageError(
      `invalid value '${logFormat}' for '--log-format <LOG_FORMAT>'\n  [possible values: text, json]`,
    );
  }
  const quiet = read.given.get("quiet")?.length ?? 0;
  const healthy = read.given.get("require-healthy")?.at(-1);
  if (healthy !== undefined && healthy !== "true" && healthy !== "false") {
    throw new UsageError(
      `invalid value '${healthy}' for '--require-healthy <REQUIRE_HEALTHY>'\n  [possible values: true, false]`,
    );
  }
  if (
    read.given.has("graceful-shutdown-limit-secs") &&
    read.given.has("no-graceful-shutdown-limit")
  ) {
    throw new UsageError(
      "the argument '--graceful-shutdown-limit-secs <GRACEFUL_SHUTDOWN_LIMIT_SECS>' cannot be used with '--no-graceful-shutdown-limit'",
    );
  }
  return {
    configs: [
      ...(read.given.get("config") ?? [])
        .flatMap(list)
        .map((path) => ({ path, format: undefined })),
      ...formatted(read),
    ],
    logFormat,
    verbosity: quiet > 0 ? -quiet : (read.given.get("verbose")?.length ?? 0),
    rateLimitSecs: integer(read, "internal-log-rate-limit", 10, 0),
    requireHealthy: healthy === undefined ? undefined : healthy === "true",
    allowEmpty: isOn(read, "allow-empty-config"),
    interpolateEnv: interpolates(read, env),
    gracefulLimitSecs: isOn(read, "no-graceful-shutdown-limit")
      ? undefined
      : integer(read, "graceful-shutdown-limit-secs", 60, 1),
  };
}

function integer(read: Read, name: string, fallback: number, minimum: number): number {
  const text = read.given.get(name)?.at(-1);
  if (text === undefined) return fallback;
  const placeholder = `--${name} <${name.toUpperCase().replaceAll("-", "_")}>`;
  if (!/^\d+$/.test(text))
    throw new UsageError(
      `invalid value '${text}' for '${placeholder}': invalid digit found in string`,
    );
  if (Number(text) < minimum)
    throw new UsageError(
      `invalid value '${text}' for '${placeholder}': number would be zero for non-zero type`,
    );
  return Number(text);
}

function readFlags(
  argv: readonly string[],
  flags: Flags,
  env: Env,
  usage: string,
  stopAtCommand: boolean,
): Read {
  const given = new Map<string, string[]>();
  const add = (name: string, value: string): void =>
    void given.set(name, [...(given.get(name) ?? []), value]);
  const rest: string[] = [];
  const args = [...argv];
  for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
    if (!arg.startsWith("-") || arg === "-") {
      rest.push(arg);
      if (!stopAtCommand) continue;
      rest.push(...args);
      break;
    }
    const expanded = /^-[a-zA-Z]{2,}$/.test(arg)
      ? arg
          .slice(1)
          .split("")
          .map((letter) => `-${letter}`)
      : [arg];
    for (const part of expanded) {
      const [written = "", inline] = part.split(/=(.*)/s);
      const found = Object.entries(flags).find(
        ([name, flag]) => written === `--${name}` || written === `-${flag.short}`,
      );
      if (found === undefined)
        throw new UsageError(`unexpected argument '${part}' found\n\nUsage: ${usage}`);
      const [name, flag] = found;
      const value = flag.takes === "value" ? (inline ?? args.shift()) : "true";
      if (
        value === undefined ||
        (flag.takes === "value" && inline === undefined && value.startsWith("--"))
      ) {
        throw new UsageError(
          `a value is required for '--${name} <${name.toUpperCase().replaceAll("-", "_")}>' but none was supplied`,
        );
      }
      add(name, value);
    }
  }
  for (const [name, flag] of Object.entries(flags)) {
    const value = flag.env === undefined ? undefined : env[flag.env];
    if (value === undefined || given.has(name)) continue;
    if (flag.takes === "switch" && value !== "true" && value !== "false") {
      throw new UsageError(
        `invalid value '${value}' for '--${name}'\n  [possible values: true, false]`,
      );
    }
    if (flag.takes === "value" || value === "true") add(name, value);
  }
  return { given, rest };
}
