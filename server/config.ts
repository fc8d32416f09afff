import { readFileSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { configKeys, type ConfigKey } from "./config-keys.ts";
import { parseNetworks } from "./rpc/client-address.ts";
import { parseCommands, type SecretBackendConfig } from "./secrets/backends/server-limits.ts";

/** Where to listen. Port 0 picks a free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface ServerConfig {
  readonly dataDir: string;
  readonly http: ListenAddress;
  readonly agent: ListenAddress;
  /** Address of the web client as people reach it, without a trailing slash. */
  readonly publicUrl: string | undefined;
  /** Address of the agent plane as hosts reach it. */
  readonly agentPublicUrl: string | undefined;
  /** Undefined: run the embedded database. */
  readonly databaseUrl: string | undefined;
  readonly databasePoolSize: number;
  /** Undefined: generated into the data directory, with the embedded database only. */
  readonly secret: string | undefined;
  readonly secretPrevious: string | undefined;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Networks of proxies whose word on the client's address is believed. */
  readonly trustedProxies: readonly string[];
  readonly secretBackends: SecretBackendConfig;
  readonly heartbeatIntervalMs: number;
  /** Leave an enrollment token in the data directory for the agent that `npm start` runs. */
  readonly localAgent: boolean;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

/** All that is wrong with the configuration, one problem a line. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`the configuration is not usable:\n${problems.map((line) => `  - ${line}`).join("\n")}`);
    this.problems = problems;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the configuration from environment variables. An empty value counts as unset; each key can be
 * given as a file with `<KEY>_FILE`. Collects every problem before it throws a ConfigError.
 *
 * @param readFile reads a `_FILE`.
 */
export function parseConfig(
  env: Environment,
  readFile: (path: string) => string = (path) => readFileSync(path, "utf8"),
): { config: ServerConfig; warnings: readonly string[] } {
  const problems: string[] = [];
  const value = (key: ConfigKey): string | undefined => readValue(env, key, readFile, problems);

  const databaseUrl = value("VECTORFLOW_DATABASE_URL");
  if (databaseUrl !== undefined && !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    problems.push("VECTORFLOW_DATABASE_URL must start with postgresql://");
  }
  const secret = value("VECTORFLOW_SECRET") ?? value("NEXTAUTH_SECRET");
  if (secret !== undefined && secret.length < 32) {
    problems.push(
      "VECTORFLOW_SECRET must have at least 32 characters, e.g. from: openssl rand -base64 48",
    );
  }
  const secretPrevious = value("VECTORFLOW_SECRET_PREVIOUS")?.trim();
  if (secretPrevious !== undefined && secretPrevious === secret?.trim()) {
    problems.push("VECTORFLOW_SECRET_PREVIOUS must be another one than VECTORFLOW_SECRET");
  }
  if (databaseUrl !== undefined && secret === undefined) {
    problems.push(
      "VECTORFLOW_SECRET is required with VECTORFLOW_DATABASE_URL: all replicas need the same one",
    );
  }
  const cert = value("VECTORFLOW_TLS_CERT");
  const key = value("VECTORFLOW_TLS_KEY");
  if ((cert === undefined) !== (key === undefined)) {
    problems.push("VECTORFLOW_TLS_CERT and VECTORFLOW_TLS_KEY go together");
  }
  const config: ServerConfig = {
    dataDir: resolve(value("VECTORFLOW_DATA_DIR") ?? ".vectorflow"),
    http: listenAddress("VECTORFLOW_HTTP_LISTEN", value, "127.0.0.1:8080", problems),
    agent: listenAddress("VECTORFLOW_AGENT_LISTEN", value, "127.0.0.1:8081", problems),
    publicUrl: url("VECTORFLOW_PUBLIC_URL", value, problems),
    agentPublicUrl: url("VECTORFLOW_AGENT_PUBLIC_URL", value, problems),
    databaseUrl,
    databasePoolSize: integer("VECTORFLOW_DATABASE_POOL_SIZE", value, 10, [2, 200], problems),
    secret,
    secretPrevious,
    tls: cert !== undefined && key !== undefined ? { cert, key } : undefined,
    trustedProxies: networks("VECTORFLOW_TRUSTED_PROXIES", value, problems),
    secretBackends: {
      networks: networks("VECTORFLOW_SECRET_NETWORKS", value, problems),
      commands: parseCommands(value("VECTORFLOW_SECRET_COMMANDS"), problems),
      kubernetesAddresses: origins("VECTORFLOW_VAULT_KUBERNETES_ADDRESSES", value, problems),
      kubernetesTokenPath:
        value("VECTORFLOW_KUBERNETES_TOKEN_PATH") ??
        "/var/run/secrets/kubernetes.io/serviceaccount/token",
      awsHostIdentity:
        oneOf("VECTORFLOW_AWS_HOST_IDENTITY", value, ["false", "true"], problems) === "true",
    },
    heartbeatIntervalMs: integer(
      ...(["VECTORFLOW_HEARTBEAT_INTERVAL_MS" as const, value, 5000] as const),
      [250, 300_000],
      problems,
    ),
    localAgent: oneOf("VECTORFLOW_LOCAL_AGENT", value, ["false", "true"], problems) === "true",
    logLevel: oneOf("VECTORFLOW_LOG_LEVEL", value, ["info", "debug", "warn", "error"], problems),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return { config: Object.freeze(config), warnings: unknownKeys(env) };
}

function readValue(
  env: Environment,
  key: ConfigKey,
  readFile: (path: string) => string,
  problems: string[],
): string | undefined {
  const direct = env[key] === "" ? undefined : env[key];
  const path = env[`${key}_FILE`] === "" ? undefined : env[`${key}_FILE`];
  if (direct !== undefined && path !== undefined) {
    problems.push(`${key} and ${key}_FILE are both set: keep one`);
    return undefined;
  }
  if (path === undefined) return direct;
  try {
    if (!isAbsolute(path)) throw new Error("the path must be absolute");
    const text = readFile(path).trim();
    return text === "" ? undefined : text;
  } catch (error) {
    problems.push(`${key}_FILE cannot be read: ${(error as Error).message}`);
    return undefined;
  }
}

type Lookup = (key: ConfigKey) => string | undefined;

function listenAddress(
  key: ConfigKey,
  value: Lookup,
  fallback: string,
  problems: string[],
): ListenAddress {
  const text = value(key) ?? fallback;
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    problems.push(`${key} must be host:port, as in ${fallback}, not ${JSON.stringify(text)}`);
    return { host: "127.0.0.1", port: 0 };
  }
  return { host: match[1] ?? match[2] ?? "", port };
}

function url(key: ConfigKey, value: Lookup, problems: string[]): string | undefined {
  const text = value(key);
  if (text === undefined) return undefined;
  const parsed = URL.parse(text);
  const plain =
    parsed !== null && parsed.pathname === "/" && parsed.search === "" && parsed.hash === "";
  if (!plain || !["http:", "https:"].includes(parsed.protocol) || !isHostName(parsed.hostname)) {
    problems.push(
      `${key} must be an address such as https://vectorflow.example.com, without a path`,
    );
    return undefined;
  }
  return parsed.origin;
}

/**
 * URLs may have quotes, backticks and dollars in their hosts; commands that people paste into a shell are made from
 * these addresses, so that only what names a host is taken (X6).
 */
function isHostName(text: string): boolean {
  return /^[A-Za-z0-9._-]+$|^\[[0-9a-fA-F:.]+\]$/.test(text);
}

function networks(key: ConfigKey, value: Lookup, problems: string[]): string[] {
  const listed = (value(key) ?? "").split(/[\s,]+/).filter((text) => text !== "");
  return listed.filter((network) => {
    try {
      parseNetworks([network]);
      return true;
    } catch {
      problems.push(`${key} must be networks such as 10.0.0.0/8, not ${JSON.stringify(network)}`);
      return false;
    }
  });
}

function origins(key: ConfigKey, value: Lookup, problems: string[]): string[] {
  const listed = (value(key) ?? "").split(/[\s,]+/).filter((text) => text !== "");
  return listed.flatMap((text) => {
    const parsed = URL.parse(text);
    if (parsed !== null && /^https?:$/.test(parsed.protocol)) return [parsed.origin];
    problems.push(
      `${key} must be addresses such as https://vault.example.com:8200, not ${JSON.stringify(text)}`,
    );
    return [];
  });
}

function integer(
  key: ConfigKey,
  value: Lookup,
  fallback: number,
  [minimum, maximum]: readonly [number, number],
  problems: string[],
): number {
  const text = value(key);
  if (text === undefined) return fallback;
  const parsed = Number(text);
  if (!Number.isInteger(parsed) || parsed < minimum || parsed > maximum) {
    problems.push(
      `${key} must be a whole number from ${minimum} to ${maximum}, not ${JSON.stringify(text)}`,
    );
    return fallback;
  }
  return parsed;
}

function oneOf<const T extends string>(
  key: ConfigKey,
  value: Lookup,
  choices: readonly [T, ...T[]],
  problems: string[],
): T {
  const text = value(key);
  const found = choices.find((choice) => choice === text);
  if (text !== undefined && found === undefined) {
    problems.push(`${key} must be one of ${choices.join(", ")}, not ${JSON.stringify(text)}`);
  }
  return found ?? choices[0];
}

function unknownKeys(env: Environment): string[] {
  const known = new Set<string>(configKeys.flatMap(({ key }) => [key, `${key}_FILE`]));
  return Object.keys(env)
    .filter((key) => key.startsWith("VECTORFLOW_") && !known.has(key))
    .toSorted();
}
