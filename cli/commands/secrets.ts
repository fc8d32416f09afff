import { readFile } from "node:fs/promises";
import type { Secret } from "#gen/vectorflow/v1/secret_pb.ts";
import { CliError, UsageError, exitCodes, messageOf, type ExitCode } from "../failures.ts";
import { printable } from "../output/printable.ts";
import { formatTable } from "../output/table.ts";
import { secretView, useView } from "../output/views.ts";
import { confirm, environmentOf, type CommandContext } from "./context.ts";

export async function secretsList(context: CommandContext): Promise<ExitCode> {
  const { client, output } = context;
  const { id: environmentId } = await environmentOf(context);
  const { secrets, missing } = await client.secrets.listSecrets({ environmentId });
  const value = {
    secrets: secrets.map(secretView),
    missing: missing.map(({ name, uses }) => ({ name, uses: uses.map(useView) })),
  };
  output.result(value, () => {
    const usedBy = (uses: readonly { readonly pipeline: string }[]): string =>
      printable(uses.map(({ pipeline }) => pipeline).join(", "));
    const rows = [
      ...value.secrets.map(({ name, update_time, uses }) => [
        printable(name),
        update_time ?? "",
        usedBy(uses),
      ]),
      ...value.missing.map(({ name, uses }) => [
        printable(name),
        output.paint("red", "does not exist"),
        usedBy(uses),
      ]),
    ];
    return formatTable(["NAME", "SET", "USED BY"], rows);
  });
  return exitCodes.ok;
}

/** Creates a secret or replaces its value. The value is never written anywhere. */
export async function secretsSet(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument: name } = context;
  const value = await readValue(context);
  const { id: environmentId } = await environmentOf(context);
  const existing = await findSecret(context, environmentId, name);
  if (existing === undefined) {
    const { secret } = await client.secrets.createSecret({ environmentId, name, value });
    const created = { name: secret?.name ?? name, result: "created", pipelines: [] };
    output.result(created, () => `${printable(name)} created`);
    return exitCodes.ok;
  }
  const { changed, pipelineNames } = await client.secrets.updateSecret({
    environmentId,
    id: existing.id,
    value,
  });
  const result = changed ? "updated" : "unchanged";
  output.result({ name: existing.name, result, pipelines: pipelineNames }, () => {
    const reached =
      pipelineNames.length === 0 ? "" : `; hosts get it now for ${pipelineNames.join(", ")}`;
    return printable(`${existing.name} ${result}${reached}`);
  });
  return exitCodes.ok;
}

async function readValue({ flags, stdin }: CommandContext): Promise<string> {
  const path = flags["value-file"];
  if (path === undefined && stdin.isTerminal) {
    throw new UsageError(
      "pipe the value in or give --value-file: what is typed here would stay on the screen",
    );
  }
  const bytes =
    path === undefined
      ? await stdin.readAll()
      : await readFile(path).catch((error: unknown) => {
          throw new UsageError(`--value-file cannot be read: ${messageOf(error)}`, {
            cause: error,
          });
        });
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new UsageError("the value is not UTF-8: encode it, for example in base64", {
      cause: error,
    });
  }
  const value = flags.exact === true ? text : text.replace(/\r?\n$/, "");
  if (value === "") throw new UsageError("the value is empty");
  return value;
}

/** Names of secrets count with their case. */
async function findSecret(
  { client }: CommandContext,
  environmentId: string,
  wanted: string,
): Promise<Secret | undefined> {
  const { secrets } = await client.secrets.listSecrets({ environmentId });
  return secrets.find(({ name }) => name === wanted);
}

export async function secretsDelete(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument, flags } = context;
  const environment = await environmentOf(context);
  const secret = await findSecret(context, environment.id, argument);
  if (secret === undefined) {
    throw new CliError(`there is no secret ${argument} in ${environment.name}`);
  }
  if (!(await confirm(context, `Delete the secret ${secret.name} of ${environment.name}?`))) {
    throw new CliError("nothing was deleted");
  }
  await client.secrets.deleteSecret({
    environmentId: environment.id,
    id: secret.id,
    confirmInUse: flags["in-use"] === true,
  });
  output.result(
    { name: secret.name, result: "deleted" },
    () => `${printable(secret.name)} deleted`,
  );
  return exitCodes.ok;
}
