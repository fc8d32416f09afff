interface Command {
  /** What stands after the command, as in `NAME`. */
  readonly argument?: string;
  readonly summary: string;
  /** More for its own help; each is a paragraph. */
  readonly details?: readonly string[];
  readonly example: string;
}

/** Everything that can be told to do, with its help. */
export const commandTable = {
  "pipelines list": {
    summary: "List the pipelines of an environment.",
    example: "pipelines list --output json",
  },
  "pipelines get": {
    argument: "NAME",
    summary: "Show one pipeline: its state on every host, its problems and its settings.",
    details: ["With --output json or yaml also its text and its revision."],
    example: "pipelines get web-logs",
  },
  "pipelines apply": {
    summary: "Make pipelines as files say: one file, or a folder with one file for each.",
    details: [
      "NAME.yaml is a configuration as Vector has it. NAME.vectorflow.yaml beside it is optional and has any of description, selector, log_level and limits; what it does not name stays as it is on the server. docs/cli.md has an example.",
      "All is checked before anything is saved: one text with an error, and nothing happens. Without --deploy only drafts are saved and no host gets a new configuration; settings of a pipeline that is deployed count at once.",
      "Pipelines without a file are listed and left alone, unless --prune is given.",
    ],
    example: 'pipelines apply -f pipelines/ --deploy --reason "$CI_COMMIT_TITLE" --yes',
  },
  "pipelines import": {
    argument: "PATH",
    summary: "Make a draft of a configuration of Vector: YAML, TOML or JSON, one file or a folder.",
    details: [
      "A folder is merged as Vector merges it with --config-dir. Comments, unknown options and wildcards are kept; what VectorFlow sets on hosts is taken out, and said. Nothing is deployed. With --dry-run the text is shown and nothing is created.",
    ],
    example: "pipelines import /etc/vector/vector.toml --name web-logs",
  },
  "pipelines diff": {
    argument: "[NAME]",
    summary:
      "Show what apply would change, with the texts; or, with a NAME, how two versions differ. Exits with 3 when anything does.",
    details: [
      "With a NAME: --from and --to are versions, and 0 is the saved draft. Default: to the draft, from what is deployed, or was before a pause or undeploy.",
    ],
    example: "pipelines diff web-logs --from 6 --to 7",
  },
  "pipelines test": {
    argument: "NAME",
    summary: "Run the tests of a pipeline's text: of the saved draft, or of a file with --file.",
    details: [
      "Runs `tests:` on the server as `vector test` does, and touches no host. Exits with 1 when one fails. Tests with transforms that only Vector itself can run are listed as not run, and fail nothing; --on-host runs all of them.",
    ],
    example: "pipelines test web-logs -f pipelines/web-logs.yaml",
  },
  "pipelines deploy": {
    argument: "NAME",
    summary: "Deploy the saved draft, after showing its problems and what it changes.",
    details: [
      "Waits until every host that the pipeline is for runs it and reports healthy. Fails, with the reason of each host, when one fails, goes back to the version before, or does not answer in time.",
      "On a terminal it asks first, unless --yes is given.",
    ],
    example: 'pipelines deploy web-logs --reason "more memory for the buffer"',
  },
  "pipelines rollback": {
    argument: "NAME",
    summary: "Publish an old version again, as a new one, and make its text the draft.",
    details: [
      "Shows what changes. When the draft has what was never deployed, that is shown too, and replaced after a question or with --yes. A draft that is saved again meanwhile is refused. Tests hold nothing up, also where deploys need them to pass.",
      "Waits as deploy does.",
    ],
    example: "pipelines rollback web-logs --version 7",
  },
  "pipelines undeploy": {
    argument: "NAME",
    summary: "Take a pipeline off all hosts. Its draft and its versions stay.",
    example: 'pipelines undeploy web-logs --reason "moved to the new cluster" --yes',
  },
  "pipelines pause": {
    argument: "NAME",
    summary:
      "Take a pipeline off all hosts for a while. `pipelines resume` puts the same version back.",
    example: 'pipelines pause web-logs --reason "the index is being rebuilt" --yes',
  },
  "pipelines resume": {
    argument: "NAME",
    summary: "Put the version back that a pause, or an undeploy, took off the hosts.",
    details: [
      "No new version is made, and the draft stays as it is. Waits as deploy does. After an undeploy --version must name the version.",
    ],
    example: "pipelines resume web-logs",
  },
  "pipelines clone": {
    argument: "NAME",
    summary: "Make a draft of another name with the draft and the settings of a pipeline.",
    example: "pipelines clone web-logs --as web-logs-2",
  },
  "pipelines promote": {
    argument: "NAME",
    summary: "Make a draft in another environment of what is deployed, or replace the draft there.",
    details: [
      "Promotes the deployed version, or the one that is paused, or the one of --version. Of a pipeline that is neither deployed nor paused it is the saved draft, as with --version 0, and that is said. Refused, with their names, when secrets or certificates that it refers to do not exist there. Nothing is deployed. A draft that is there is shown with what differs, and replaced after a question or with --yes.",
    ],
    example: "pipelines promote web-logs --environment Staging --to Production",
  },
  "pipelines delete": {
    argument: "NAME",
    summary: "Take a pipeline off all hosts and delete it with its versions.",
    example: "pipelines delete old-logs --yes",
  },
  "pipelines export": {
    argument: "[NAME]",
    summary:
      "Write the saved draft of a pipeline to the standard output, or to a folder for apply.",
    details: [
      "With --dir its settings are written beside it, and without NAME every pipeline is. With --format it is TOML or JSON that says the same, without comments.",
    ],
    example: "pipelines export --dir pipelines/",
  },
  "nodes list": {
    summary: "List the hosts of an environment.",
    example: "nodes list",
  },
  "nodes watch": {
    summary: "Show the hosts, and then each change of them as it happens, until Ctrl-C.",
    details: [
      "With --output json each change is one line; with --output yaml each is one document. A connection that is lost is made again.",
    ],
    example: "nodes watch --output json",
  },
  "secrets list": {
    summary: "List the secrets of an environment, without their values, and who refers to them.",
    details: [
      "While the backend that keeps the values fails as a whole, that is said, with how old each value is.",
    ],
    example: "secrets list",
  },
  "secrets set": {
    argument: "NAME",
    summary: "Create a secret, or give it a new value: from the standard input or --value-file.",
    details: [
      "One line feed at the end is taken off, because echo and editors add one; --exact keeps it. The value is no argument: every user of a machine can read the arguments of its processes, and shells keep them.",
      "Hosts that run a pipeline with this secret get a new value at once.",
    ],
    example: "secrets set es_password --value-file /run/secrets/es",
  },
  "secrets refer": {
    argument: "NAME",
    summary:
      "In an environment whose values are in Vault, AWS or a command: create a secret that refers to one there, or give it another reference.",
    details: [
      "The value is read at once. A new secret that cannot be read is created all the same and says why; an existing one keeps its reference then.",
    ],
    example: "secrets refer es_password --path apps/es --key password",
  },
  "secrets refresh": {
    summary: "Read every secret of an environment from its backend now. Hosts get what changed.",
    details: ["Exits with 1 when something cannot be read; hosts keep the last good values."],
    example: "secrets refresh",
  },
  "secrets delete": {
    argument: "NAME",
    summary:
      "Delete a secret. Refused while something deployed refers to it, unless --in-use is given.",
    example: "secrets delete old_key --yes",
  },
  "variables list": {
    summary: "List the variables of an environment with their values, and who refers to them.",
    example: "variables list --output json",
  },
  "variables set": {
    argument: "NAME",
    summary: "Create a variable, or change it after saying which pipelines that changes.",
    details: [
      "Values are written into versions when pipelines are deployed: without --redeploy, what is deployed goes on with the value it has.",
      "With --redeploy all of them are deployed, or none: one that would have errors, or is deployed only when its tests pass and whose tests fail with the new value, refuses it all.",
    ],
    example: "variables set max_events --value 500 --redeploy --yes",
  },
  "variables delete": {
    argument: "NAME",
    summary: "Delete a variable. Refused while pipelines refer to it, unless --in-use is given.",
    example: "variables delete old_host --yes",
  },
  "templates list": {
    summary: "List the templates that ship and those of the environment's team, with parameters.",
    example: "templates list",
  },
  "templates use": {
    argument: "TEMPLATE",
    summary:
      "Create a pipeline from a template, by its name or id: a draft, with everything filled in.",
    details: ["What is wrong with the draft is told; it can be mended before it is deployed."],
    example: 'templates use "Syslog to Loki" --name network --values values.yaml',
  },
  "environments list": {
    summary: "List the environments that the token reaches.",
    example: "environments list",
  },
  version: { summary: "Print the version of this program.", example: "version" },
} as const satisfies Readonly<Record<string, Command>>;

export type CommandName = keyof typeof commandTable;

export const commandNames = Object.keys(commandTable) as readonly CommandName[];

/** What stands after a command; undefined when nothing may. */
export function argumentOf(name: CommandName): string | undefined {
  const command: Command = commandTable[name];
  return command.argument;
}
