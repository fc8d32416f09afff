import type { ParseArgsConfig } from "node:util";

/** What the agent can be told to do, with the line about it in the overview. */
export const commandSummaries = {
  run: "Enroll this host if that has not been done, then run its pipelines.",
  enroll: "Only enroll. With --force also when this host is enrolled already.",
  status: "Show what this host knows: identity, connection, pipelines and their states.",
  doctor: "Look for what keeps this host from working, and say what to do about it.",
  version: "Print the version.",
  install: "Install the agent as a systemd service.",
  uninstall: "Remove the systemd service. Data stays, unless --purge is given.",
  "support-bundle": "Write a file for support: versions, states, log tails; no secrets.",
  "install-vector": "Download a release of Vector, check it, and put it beside the others.",
} as const;

export type CommandName = keyof typeof commandSummaries;

export const commandNames = Object.keys(commandSummaries) as readonly CommandName[];

interface Flag {
  /** What stands for the value in the help; a switch has none. */
  readonly value?: string;
  readonly multiple?: true;
  readonly commands: readonly CommandName[];
  readonly help: string;
}

const dialling = ["run", "enroll", "doctor", "install"] as const;
const everywhere = commandNames.filter((name) => name !== "version");

/** Every flag, with the commands that take it. A row here is all that the parser and the help need. */
const flagTable = {
  server: {
    value: "ADDRESS",
    commands: dialling,
    help: "The agent plane: host:port, http://host:port or https://host:port. Or VECTORFLOW_AGENT_SERVER. Once a host is enrolled, doctor takes the address from there.",
  },
  token: {
    value: "TOKEN",
    commands: dialling,
    help: "Enrollment token (vfe_…), needed once. A host that is enrolled keeps its identity and does not use it. Or VECTORFLOW_ENROLLMENT_TOKEN.",
  },
  "token-file": {
    value: "PATH",
    commands: dialling,
    help: "The same, read from a file. Or VECTORFLOW_ENROLLMENT_TOKEN_FILE.",
  },
  "data-dir": {
    value: "PATH",
    commands: everywhere,
    help: "Where identity, configurations and buffers are kept. Or VECTORFLOW_AGENT_DATA_DIR. Default: /var/lib/vectorflow-agent for root, ~/.local/state/vectorflow-agent for others.",
  },
  label: {
    value: "KEY=VALUE",
    multiple: true,
    commands: ["run", "enroll", "install"],
    help: "Label to report with this host; can be repeated. Labels that select what a host runs are set on the server.",
  },
  "ca-file": {
    value: "PATH",
    commands: dialling,
    help: "Trust this certificate authority (PEM) for https instead of the system's.",
  },
  "allow-plaintext": {
    commands: dialling,
    help: "Speak to a server on another machine without TLS. Tokens, secrets and logs can then be read on the way.",
  },
  policy: {
    value: "FILE",
    commands: ["run", "install"],
    help: "What this host lets Vector do, whatever the server says (YAML). The file and its folders must be root's and not writable by others; see docs/host-policy.md. Or VECTORFLOW_AGENT_POLICY.",
  },
  "redact-field": {
    value: "GLOB",
    multiple: true,
    commands: ["run", "install"],
    help: "Never let the values of these fields out in sampled or tapped events, as in user.email or *.iban; can be repeated. Or VECTORFLOW_AGENT_REDACT_FIELDS, with commas between.",
  },
  "redact-value": {
    value: "REGEX",
    multiple: true,
    commands: ["run", "install"],
    help: "The same for what matches in texts and numbers; can be repeated. Or VECTORFLOW_AGENT_REDACT_VALUES, one to a line. Well-known secrets never leave.",
  },
  "drain-limit": {
    value: "SECS",
    commands: ["run", "install"],
    help: "How long a Vector that shall end may deliver what it holds, 1 to 3600; 60 by default. Ending the agent takes this long at most.",
  },
  "health-listen": {
    value: "HOST:PORT",
    commands: ["run", "install"],
    help: "Answer /healthz, /readyz and /metrics there. Or VECTORFLOW_AGENT_HEALTH_LISTEN. Default: nothing listens; an installed service uses 127.0.0.1:8095. off turns it off.",
  },
  "health-public": {
    commands: ["run", "install"],
    help: "Let --health-listen be an address that other machines reach.",
  },
  "log-level": {
    value: "LEVEL",
    commands: ["run", "enroll", "install"],
    help: "debug, info (default), warn or error.",
  },
  force: {
    commands: ["enroll", "install"],
    help: "enroll: replace the identity that is there. install: replace files that differ, keeping a copy of each.",
  },
  "as-new": {
    commands: ["enroll"],
    help: "This disk is a copy of another host's: make this a host of its own.",
  },
  json: { commands: ["status", "doctor"], help: "Print JSON." },
  "dry-run": {
    commands: ["install", "uninstall"],
    help: "Print all that would be done, and do nothing.",
  },
  root: {
    value: "DIR",
    commands: ["install", "uninstall"],
    help: "Work on the system below this folder, such as an image; the running system is not told.",
  },
  purge: {
    commands: ["uninstall"],
    help: "Also delete the data directory: identity, configurations, buffers and checkpoints.",
  },
  output: {
    value: "PATH",
    commands: ["support-bundle"],
    help: "The file to write. Default: vectorflow-agent-support-<time>.tar.gz here.",
  },
  url: {
    value: "URL",
    commands: ["install-vector"],
    help: "A folder with the release's files, such as a mirror's. Or VECTORFLOW_VECTOR_DOWNLOAD_URL. Default: the official releases.",
  },
  list: { commands: ["install-vector"], help: "List the versions that are installed." },
} as const satisfies Readonly<Record<string, Flag>>;

const flags: readonly (readonly [string, Flag])[] = Object.entries(flagTable);

type Option<F extends Flag> = F extends { readonly value: string }
  ? F extends { readonly multiple: true }
    ? { readonly type: "string"; readonly multiple: true }
    : { readonly type: "string" }
  : { readonly type: "boolean" };

type Options = { readonly [K in keyof typeof flagTable]: Option<(typeof flagTable)[K]> } & {
  readonly help: { readonly type: "boolean"; readonly short: "h" };
};

/** The flags of all commands, for `parseArgs`. */
export const parseOptions = {
  ...Object.fromEntries(
    flags.map(([name, { value, multiple }]) => [
      name,
      value === undefined
        ? { type: "boolean" }
        : { type: "string", ...(multiple === true ? { multiple } : {}) },
    ]),
  ),
  help: { type: "boolean", short: "h" },
} as Options satisfies ParseArgsConfig["options"]; // One option for each row, as the type says.

/** Whether a command takes a flag. */
export function takesFlag(command: CommandName, flag: string): boolean {
  return flags.some(([name, { commands }]) => name === flag && commands.includes(command));
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function column(name: string, text: string): string {
  const room = 22;
  const [first = "", ...rest] = wrapped(text, 76);
  const indent = " ".repeat(room + 2);
  const head =
    name.length < room ? `  ${name.padEnd(room)}${first}` : `  ${name}\n${indent}${first}`;
  return [head, ...rest.map((line) => indent + line)].join("\n");
}

/** The overview, or all about one command. `program` is how this agent is started. */
export function helpText(program: string, command: CommandName | undefined): string {
  if (command === undefined) {
    const rows = commandNames.map((name) => column(name, commandSummaries[name]));
    return `VectorFlow agent

Usage: ${program} <command> [options]

Commands:
${rows.join("\n")}

${program} <command> --help tells about one command.

Vector is taken from VECTOR_BIN, else from the PATH, else the newest one below
<data-dir>/vector/<version>/bin/vector. HTTPS_PROXY, HTTP_PROXY and NO_PROXY are honoured.
`;
  }
  const rows = flags
    .filter(([, { commands }]) => commands.includes(command))
    .map(([name, { value, help }]) =>
      column(`--${name}${value === undefined ? "" : ` ${value}`}`, help),
    );
  const argument = command === "install-vector" ? " VERSION" : "";
  return `Usage: ${program} ${command}${argument} [options]

${commandSummaries[command]}

Options:
${[...rows, column("--help", "Show this text.")].join("\n")}
`;
}
