import { version } from "#common/version.ts";
import { createApiClient, type ApiClient } from "./client/client.ts";
import { toCliError } from "./client/failure.ts";
import type { CommandContext, Stdin } from "./commands/context.ts";
import { parseCommandLine } from "./config.ts";
import { CliError, UsageError, exitCodes, type ExitCode } from "./failures.ts";
import type { CommandName } from "./command-table.ts";
import { helpText } from "./help.ts";
import { paintFor } from "./output/colour.ts";
import { createOutput } from "./output/output.ts";
import { printable } from "./output/printable.ts";

/** What a process has around it. */
export interface World {
  /** How this program is called, for its help. */
  readonly program: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly stdin: Stdin;
  readonly signal: AbortSignal;
}

interface Sink {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

type Command = (context: CommandContext) => Promise<ExitCode>;

/** Loaded when they are asked for: help need not load the wire. */
const commands = {
  "pipelines list": async () => (await import("./commands/lists.ts")).pipelinesList,
  "pipelines get": async () => (await import("./commands/pipeline-get.ts")).pipelinesGet,
  "pipelines apply": async () => (await import("./commands/pipeline-apply.ts")).pipelinesApply,
  "pipelines import": async () => (await import("./commands/pipeline-import.ts")).pipelinesImport,
  "pipelines diff": async () => (await import("./commands/pipeline-diff.ts")).pipelinesDiff,
  "pipelines test": async () => (await import("./commands/pipeline-test.ts")).pipelinesTest,
  "pipelines deploy": async () => (await import("./commands/pipeline-deploy.ts")).pipelinesDeploy,
  "pipelines rollback": async () =>
    (await import("./commands/pipeline-deploy.ts")).pipelinesRollback,
  "pipelines undeploy": async () =>
    (await import("./commands/pipeline-deploy.ts")).pipelinesUndeploy,
  "pipelines pause": async () => (await import("./commands/pipeline-life.ts")).pipelinesPause,
  "pipelines resume": async () => (await import("./commands/pipeline-life.ts")).pipelinesResume,
  "pipelines clone": async () => (await import("./commands/pipeline-life.ts")).pipelinesClone,
  "pipelines promote": async () => (await import("./commands/pipeline-life.ts")).pipelinesPromote,
  "pipelines delete": async () => (await import("./commands/pipeline-life.ts")).pipelinesDelete,
  "pipelines export": async () => (await import("./commands/pipeline-export.ts")).pipelinesExport,
  "nodes list": async () => (await import("./commands/lists.ts")).nodesList,
  "nodes watch": async () => (await import("./commands/lists.ts")).nodesWatch,
  "secrets list": async () => (await import("./commands/secrets.ts")).secretsList,
  "secrets set": async () => (await import("./commands/secrets.ts")).secretsSet,
  "secrets refer": async () => (await import("./commands/secrets.ts")).secretsRefer,
  "secrets refresh": async () => (await import("./commands/secrets.ts")).secretsRefresh,
  "secrets delete": async () => (await import("./commands/secrets.ts")).secretsDelete,
  "variables list": async () => (await import("./commands/variables.ts")).variablesList,
  "variables set": async () => (await import("./commands/variables.ts")).variablesSet,
  "variables delete": async () => (await import("./commands/variables.ts")).variablesDelete,
  "templates list": async () => (await import("./commands/templates.ts")).templatesList,
  "templates use": async () => (await import("./commands/templates.ts")).templatesUse,
  "environments list": async () => (await import("./commands/lists.ts")).environmentsList,
} satisfies Record<Exclude<CommandName, "version">, () => Promise<Command>>;

/** Runs one command line and returns the exit code. Throws nothing. */
export async function run(args: readonly string[], world: World): Promise<ExitCode> {
  let client: ApiClient | undefined;
  try {
    const line = parseCommandLine(args, world.env);
    if (line.kind === "help") {
      world.stdout.write(helpText(world.program, line.words));
      return exitCodes.ok;
    }
    const output = createOutput(
      line.output,
      paintFor(world.stdout, world.env),
      (text) => world.stdout.write(text),
      (text) => world.stderr.write(text),
    );
    if (line.command === "version" || line.connection === undefined) {
      output.result({ version }, () => version);
      return exitCodes.ok;
    }
    client = createApiClient(line.connection, world.signal);
    const command: Command = await commands[line.command]();
    return await command({
      client,
      flags: line.flags,
      argument: line.argument ?? "",
      environmentName: line.environment,
      waitMs: line.waitMs,
      output,
      signal: world.signal,
      stdin: world.stdin,
    });
  } catch (thrown) {
    return report(toCliError(thrown, client?.baseUrl ?? ""), world);
  } finally {
    client?.[Symbol.dispose]();
  }
}

function report(error: unknown, { stderr, program, signal }: World): ExitCode {
  if (error instanceof CliError) {
    const more = error instanceof UsageError ? `\n\nSee ${program} --help` : "";
    stderr.write(`${printable(error.message)}${more}\n`);
    return error.exitCode;
  }
  if (signal.aborted) {
    stderr.write("interrupted\n");
    return exitCodes.failed;
  }
  stderr.write(
    `${printable(Error.isError(error) ? (error.stack ?? error.message) : String(error))}\n`,
  );
  return exitCodes.failed;
}
