import { isSea } from "node:sea";
import { version } from "#common/version.ts";
import { defaultHealthListen, type FlagValues, type AgentConfig } from "../config.ts";
import { selfCommand } from "../self-command.ts";
import type { WantedFile } from "./install-plan.ts";
import { environmentLine, renderUnit } from "./unit.ts";

export const serviceName = "vectorflow-agent";

/** Where everything of the service is, as the system it is installed on sees it. */
export const paths = {
  executable: "/usr/local/bin/vectorflow-agent",
  unit: `/etc/systemd/system/${serviceName}.service`,
  enabled: `/etc/systemd/system/multi-user.target.wants/${serviceName}.service`,
  environment: "/etc/vectorflow-agent/agent.env",
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** Proxies that the person who installs has, the service needs too (A18). */
const proxyVariables = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] as const;

/** The files of the service, in the order in which they are put into place. */
export function wantedFiles(
  config: AgentConfig,
  flags: FlagValues,
  env: Environment,
): readonly WantedFile[] {
  const self = selfCommand();
  const binary: readonly WantedFile[] = isSea()
    ? [
        {
          path: paths.executable,
          mode: 0o755,
          content: { kind: "executable", source: self.command, version },
        },
      ]
    : [];
  const start = isSea() ? [paths.executable] : [self.command, ...self.args];
  const unit = renderUnit({
    drainSecs: config.drainSecs,
    command: [...start, ...runArguments(config, flags)],
    environmentFile: paths.environment,
    dataDir: config.dataDir,
  });
  return [
    ...binary,
    {
      path: paths.environment,
      mode: 0o600,
      content: { kind: "text", text: environmentText(config, env), isSecret: true },
    },
    { path: paths.unit, mode: 0o644, content: { kind: "text", text: unit, isSecret: false } },
  ];
}

function runArguments(config: AgentConfig, flags: FlagValues): readonly string[] {
  const health =
    flags["health-listen"] ?? (config.health === undefined ? defaultHealthListen : undefined);
  return [
    "run",
    "--server",
    config.server,
    "--data-dir",
    config.dataDir,
    ...(flags["ca-file"] === undefined ? [] : ["--ca-file", flags["ca-file"]]),
    ...(flags["allow-plaintext"] === true ? ["--allow-plaintext"] : []),
    ...config.redaction.fieldGlobs.flatMap((glob) => ["--redact-field", glob]),
    ...config.redaction.valuePatterns.flatMap((pattern) => ["--redact-value", pattern]),
    ...(config.policyPath === undefined ? [] : ["--policy", config.policyPath]),
    ...(flags["drain-limit"] === undefined ? [] : ["--drain-limit", flags["drain-limit"]]),
    ...(flags["log-level"] === undefined ? [] : ["--log-level", flags["log-level"]]),
    ...(flags.label ?? []).flatMap((label) => ["--label", label]),
    ...(health === undefined ? [] : ["--health-listen", health]),
    ...(flags["health-public"] === true ? ["--health-public"] : []),
  ];
}

/** What must not be on a command line: the token, and proxies with their sign-in. */
function environmentText(config: AgentConfig, env: Environment): string {
  const proxies = proxyVariables.flatMap((name) => {
    const value = env[name.toLowerCase()] || env[name];
    return value ? [environmentLine(name, value)] : [];
  });
  const vector = env["VECTOR_BIN"] ? [environmentLine("VECTOR_BIN", env["VECTOR_BIN"])] : [];
  const token =
    config.token === undefined
      ? ["# VECTORFLOW_ENROLLMENT_TOKEN= (this host was enrolled without one here)"]
      : [environmentLine("VECTORFLOW_ENROLLMENT_TOKEN", config.token)];
  return [
    "# Read by vectorflow-agent.service. Holds secrets: keep it readable by root only.",
    ...token,
    ...proxies,
    ...vector,
    "",
  ].join("\n");
}
