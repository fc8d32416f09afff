import type { ParseArgsConfig } from "node:util";

import { commandNames, type CommandName } from "./command-table.ts";

interface Flag {
  /** What stands for the value in the help; a switch has none. */
  readonly value?: string;
  readonly short?: string;
  readonly commands: readonly CommandName[];
  readonly help: string;
}

const remote = commandNames.filter((name) => name !== "version");
const inEnvironment = remote.filter((name) => name !== "environments list");
const deploying = ["pipelines apply", "pipelines deploy", "pipelines rollback"] as const;
const waiting = [...deploying, "pipelines resume"] as const;

/** Every flag, with the commands that take it. A row here is all that the parser and the help need. */
const flagTable = {
  file: {
    value: "PATH",
    short: "f",
    commands: ["pipelines apply", "pipelines diff", "pipelines test"],
    help: "The file, or but for tests the folder; - is the standard input, for apply and diff with --name.",
  },
  name: {
    value: "NAME",
    commands: ["pipelines apply", "pipelines diff", "pipelines import", "templates use"],
    help: "The pipeline's name; of one file its own without .yaml is the default.",
  },
  revision: {
    value: "REVISION",
    commands: ["pipelines apply"],
    help: "For one file: the revision that it was made from, as `pipelines get` shows it. Refused, with both texts, when somebody saved since.",
  },
  prune: {
    commands: ["pipelines apply", "pipelines diff"],
    help: "Also undeploy and delete the pipelines of the environment that have no file in the folder. Asks first, unless --yes is given.",
  },
  deploy: {
    commands: ["pipelines apply"],
    help: "Deploy what is not deployed as its file says, and wait until the hosts of all of them report healthy.",
  },
  "allow-stops": {
    commands: ["pipelines apply"],
    help: "Let a new selector stop pipelines on hosts; refused otherwise, with their names.",
  },
  version: {
    value: "NUMBER",
    commands: ["pipelines rollback", "pipelines resume", "pipelines promote", "pipelines export"],
    help: "The version to go back to, to put back, to promote or to export.",
  },
  reason: {
    value: "TEXT",
    commands: [...deploying, "pipelines undeploy", "pipelines pause"],
    help: "Why, for the history.",
  },
  wait: {
    value: "SECS",
    commands: waiting,
    help: "How long to wait for the hosts; 300 by default. 0 does not wait.",
  },
  "skip-unreachable": {
    commands: waiting,
    help: "Name hosts that are not connected, and do not wait for them: they get it when they come back.",
  },
  "end-pause": {
    commands: deploying,
    help: "Also deploy what is paused, which ends the pause. Without it, apply leaves it alone and says so; deploy and rollback are refused.",
  },
  "check-hosts": {
    commands: ["pipelines deploy"],
    help: "Ask every host first whether it would take it, with its own Vector, policy and secrets. Deploys nothing when one would refuse it.",
  },
  "on-host": {
    commands: ["pipelines test"],
    help: "Let the Vector of a connected host run them, also what only Vector can; nothing is applied there.",
  },
  as: {
    value: "NAME",
    commands: ["pipelines clone", "pipelines promote"],
    help: "The name of the draft that is made. Default of clone: the first free `NAME copy`; of promote: the same name.",
  },
  from: {
    value: "NUMBER",
    commands: ["pipelines diff"],
    help: "The version to compare from; 0 is the saved draft.",
  },
  to: {
    value: "WHERE",
    commands: ["pipelines promote", "pipelines diff"],
    help: "The environment to promote to, by name or id; or the version to compare to.",
  },
  "dry-run": {
    commands: [
      "pipelines apply",
      "pipelines deploy",
      "pipelines import",
      "variables set",
      "templates use",
    ],
    help: "Show what would be done, and do nothing. Exits with 3 when something would be.",
  },
  dir: {
    value: "DIR",
    commands: ["pipelines export"],
    help: "Write NAME.yaml and NAME.vectorflow.yaml there. Files that are there are replaced.",
  },
  format: {
    value: "FORMAT",
    commands: ["pipelines export"],
    help: "yaml (default), toml or json; for one pipeline on the standard output.",
  },
  "value-file": {
    value: "PATH",
    commands: ["secrets set"],
    help: "Read the value from this file.",
  },
  path: {
    value: "PATH",
    commands: ["secrets refer"],
    help: "Where it is in the backend: a path in Vault, a name or ARN in AWS, a name for a command.",
  },
  key: {
    value: "KEY",
    commands: ["secrets refer"],
    help: "The key at that path. Required for Vault; for AWS a key of a secret in JSON.",
  },
  pin: {
    value: "VERSION",
    commands: ["secrets refer"],
    help: "Always this version, instead of the newest.",
  },
  value: {
    value: "TEXT",
    commands: ["variables set"],
    help: "The value, one line. Variables are no secrets: everyone who sees the environment reads them.",
  },
  values: {
    value: "PATH",
    commands: ["templates use"],
    help: "A map in YAML or JSON with values for parameters; - is the standard input. Others have their defaults.",
  },
  description: {
    value: "TEXT",
    commands: ["variables set", "templates use"],
    help: "What it is for. Default: what it is.",
  },
  redeploy: {
    commands: ["variables set"],
    help: "Deploy every pipeline that runs with it again, as it is deployed: all of them or none.",
  },
  exact: { commands: ["secrets set"], help: "Keep a line feed at the end of the value." },
  "in-use": {
    commands: ["secrets delete", "variables delete"],
    help: "Also when pipelines refer to it. Hosts go on with the value they have, and nothing that refers to it can be deployed.",
  },
  yes: {
    short: "y",
    commands: [
      ...deploying,
      "pipelines undeploy",
      "pipelines pause",
      "pipelines promote",
      "pipelines delete",
      "secrets delete",
      "variables set",
      "variables delete",
    ],
    help: "Do not ask. Needed without a terminal for everything that takes something away.",
  },
  environment: {
    value: "NAME",
    short: "e",
    commands: inEnvironment,
    help: "The environment, by name or id. Or VECTORFLOW_ENVIRONMENT. Default: the only one that the token reaches.",
  },
  output: {
    value: "FORMAT",
    short: "o",
    commands: commandNames,
    help: "table (default), json or yaml. Fields of json and yaml are only ever added.",
  },
  server: {
    value: "URL",
    commands: remote,
    help: "Address of the server. Or VECTORFLOW_SERVER. Default: http://127.0.0.1:8080.",
  },
  "token-file": {
    value: "PATH",
    commands: remote,
    help: "Read the API token (vfa_…) from this file. Or VECTORFLOW_TOKEN, or VECTORFLOW_TOKEN_FILE. There is no flag for the token itself: every user of a machine can read the arguments of its processes.",
  },
  "ca-file": {
    value: "PATH",
    commands: remote,
    help: "Trust this certificate authority (PEM) for https instead of the system's. Or VECTORFLOW_CA_FILE.",
  },
  "allow-plaintext": {
    commands: remote,
    help: "Speak to a server on another machine without TLS. The token and secrets can then be read on the way.",
  },
} as const satisfies Readonly<Record<string, Flag>>;

export const flagRows: readonly (readonly [string, Flag])[] = Object.entries(flagTable);

type Option<F extends Flag> = F extends { readonly value: string }
  ? { readonly type: "string" }
  : { readonly type: "boolean" };

type Options = { readonly [K in keyof typeof flagTable]: Option<(typeof flagTable)[K]> } & {
  readonly help: { readonly type: "boolean"; readonly short: "h" };
};

/** The flags of all commands, for `parseArgs`. */
export const parseOptions = {
  ...Object.fromEntries(
    flagRows.map(([name, { value, short }]) => [
      name,
      { type: value === undefined ? "boolean" : "string", ...(short !== undefined && { short }) },
    ]),
  ),
  help: { type: "boolean", short: "h" },
} as Options satisfies ParseArgsConfig["options"]; // One option for each row, as the type says.

/** Whether a command takes a flag. */
export function takesFlag(command: CommandName, flag: string): boolean {
  return flagRows.some(([name, { commands }]) => name === flag && commands.includes(command));
}
