import { readFile } from "node:fs/promises";
import type { Secret } from "#gen/vectorflow/v1/secret_pb.ts";
import { CliError, UsageError, exitCodes, messageOf, type ExitCode } from "../failures.ts";
import { printable } from "../output/printable.ts";
import { formatTable } from "../output/table.ts";
import { backendView, secretView, useView } from "../output/views.ts";
import { confirm, environmentOf, type CommandContext } from "./context.ts";

export async function secretsList(context: CommandContext): Promise<ExitCode> {
  const { client, output } = context;
  const { id: environmentId } = await environmentOf(context);
  const { secrets, missing, backend } = await client.secrets.listSecrets({ environmentId });
  const health = backendView(backend);
  const value = {
    backend: health,
    secrets: secrets.map(secretView),
    missing: missing.map(({ name, uses }) => ({ name, uses: uses.map(useView) })),
  };
  output.result(value, () => {
    const usedBy = (uses: readonly { readonly pipeline: string }[]): string =>
      printable(uses.map(({ pipeline }) => pipeline).join(", "));
    const rows = [
      ...value.secrets.map(({ name, update_time, uses, reference, read_time, failure }) => [
        printable(name),
        reference === null
          ? (update_time ?? "")
          : printable([reference.path, reference.key].filter((part) => part !== "").join(" ")),
        usedBy(uses),
        ...(failure === null
          ? []
          : [output.paint("red", `not read (${failure}); last good: ${read_time ?? "never"}`)]),
        // While the backend as a whole fails, no secret says so itself.
        ...(failure !== null || reference === null || health.failure === null
          ? []
          : [output.paint("red", `last good: ${read_time ?? "never"}`)]),
      ]),
      ...value.missing.map(({ name, uses }) => [
        printable(name),
        output.paint("red", "does not exist"),
        usedBy(uses),
      ]),
    ];
    const table = formatTable(["NAME", "SET", "USED BY", ""], rows);
    if (health.failure === null) return table;
    const outage = `the backend (${health.kind}) fails: ${health.failure}, since ${health.failing_since_time ?? "just now"}; hosts go on with the last good values`;
    return `${output.paint("red", outage)}\n${table}`;
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

/** Refers to a value in the environment's backend. */
export async function secretsRefer(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument: name, flags } = context;
  if (flags.path === undefined) throw new UsageError("--path is required");
  const reference = { path: flags.path, key: flags.key ?? "", version: flags.pin ?? "" };
  const { id: environmentId } = await environmentOf(context);
  const existing = await findSecret(context, environmentId, name);
  if (existing !== undefined) {
    const { secret, pipelineNames } = await client.secrets.updateSecret({
      environmentId,
      id: existing.id,
      reference,
    });
    const changed = { name, result: "updated", pipelines: pipelineNames };
    output.result({ ...changed, secret: secret && secretView(secret) }, () =>
      printable(`${name} updated`),
    );
    return exitCodes.ok;
  }
  const { secret } = await client.secrets.createSecret({ environmentId, name, reference });
  const view = secret && secretView(secret);
  const read = view?.read_time !== null && view?.read_time !== undefined;
  output.result({ name, result: "created", pipelines: [], secret: view }, () =>
    printable(read ? `${name} created` : `${name} created, but it could not be read yet`),
  );
  return read ? exitCodes.ok : exitCodes.failed;
}

export async function secretsRefresh(context: CommandContext): Promise<ExitCode> {
  const { client, output } = context;
  const { id: environmentId } = await environmentOf(context);
  const { readCount, failedCount, changedNames, pipelineNames } =
    await client.secretBackends.refreshSecrets({ environmentId });
  const value = {
    read: readCount,
    failed: failedCount,
    changed: changedNames,
    pipelines: pipelineNames,
  };
  output.result(value, () => {
    const changed = changedNames.length === 0 ? "nothing changed" : changedNames.join(", ");
    return printable(`${readCount} read, ${failedCount} failed; changed: ${changed}`);
  });
  return failedCount === 0 ? exitCodes.ok : exitCodes.failed;
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
