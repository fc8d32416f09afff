import type { Variable } from "#gen/vectorflow/v1/variable_pb.ts";
import { CliError, UsageError, exitCodes, type ExitCode } from "../failures.ts";
import { printable } from "../output/printable.ts";
import { formatTable } from "../output/table.ts";
import { effectView, variableUseView, variableView } from "../output/views.ts";
import { confirm, environmentOf, type CommandContext } from "./context.ts";

export async function variablesList(context: CommandContext): Promise<ExitCode> {
  const { client, output } = context;
  const { id: environmentId } = await environmentOf(context);
  const { variables, missing } = await client.variables.listVariables({ environmentId });
  const value = {
    variables: variables.map(variableView),
    missing: missing.map(({ name, uses }) => ({ name, uses: uses.map(variableUseView) })),
  };
  output.result(value, () => {
    const usedBy = (uses: readonly { readonly pipeline: string }[]): string =>
      printable(uses.map(({ pipeline }) => pipeline).join(", "));
    const rows = [
      ...value.variables.map(({ name, value: text, uses }) => [
        printable(name),
        printable(text),
        usedBy(uses),
      ]),
      ...value.missing.map(({ name, uses }) => [
        printable(name),
        output.paint("red", "does not exist"),
        usedBy(uses),
      ]),
    ];
    return formatTable(["NAME", "VALUE", "USED BY"], rows);
  });
  return exitCodes.ok;
}

/** Creates a variable or changes it, after saying whom that changes (S20). */
export async function variablesSet(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument: name, flags } = context;
  const { value } = flags;
  if (value === undefined) throw new UsageError("--value is required; it may be empty");
  const { id: environmentId } = await environmentOf(context);
  const existing = await findVariable(context, environmentId, name);
  const isDry = flags["dry-run"] === true;
  if (existing === undefined) {
    const description = flags.description ?? "";
    if (!isDry) await client.variables.createVariable({ environmentId, name, value, description });
    const result = isDry ? "would_change" : "created";
    output.result({ name, result, effects: [], deployed: [], stale: [] }, () =>
      printable(isDry ? `${name} would be created` : `${name} created`),
    );
    return isDry ? exitCodes.differences : exitCodes.ok;
  }
  const { id } = existing;
  const { pipelines } = await client.variables.previewVariable({ environmentId, id, value });
  const effects = pipelines.map(effectView);
  for (const { pipeline, components, errors, failed_tests, hosts } of effects) {
    const what = [...components, ...errors, ...failed_tests].join(", ");
    output.note(printable(`${pipeline} on ${hosts} hosts: ${what === "" ? "no change" : what}`));
  }
  const description = flags.description ?? existing.description;
  const isSame = existing.value === value && existing.description === description;
  if (isDry || (isSame && flags.redeploy !== true)) {
    const result = isSame ? "unchanged" : "would_change";
    output.result({ name, result, effects, deployed: [], stale: [] }, () =>
      printable(`${name} ${isSame ? "is unchanged" : "would be changed"}`),
    );
    return isSame ? exitCodes.ok : exitCodes.differences;
  }
  const deploy = flags.redeploy === true;
  if (deploy && !(await confirm(context, `Deploy ${effects.length} pipelines with ${name}?`))) {
    throw new CliError("nothing was changed");
  }
  const { deployedNames, staleNames } = await client.variables.updateVariable({
    environmentId,
    id,
    value,
    description,
    valueBefore: existing.value,
    deploy,
  });
  const changed = { name, result: "updated", effects, deployed: deployedNames, stale: staleNames };
  output.result(changed, () => {
    const deployed = deployedNames.length === 0 ? "" : `; deployed: ${deployedNames.join(", ")}`;
    const stale =
      staleNames.length === 0
        ? ""
        : `; until a deploy these run as before: ${staleNames.join(", ")}`;
    return printable(`${name} updated${deployed}${stale}`);
  });
  return exitCodes.ok;
}

async function findVariable(
  { client }: CommandContext,
  environmentId: string,
  wanted: string,
): Promise<Variable | undefined> {
  const { variables } = await client.variables.listVariables({ environmentId });
  return variables.find(({ name }) => name === wanted);
}

export async function variablesDelete(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument, flags } = context;
  const environment = await environmentOf(context);
  const variable = await findVariable(context, environment.id, argument);
  if (variable === undefined) {
    throw new CliError(`there is no variable ${argument} in ${environment.name}`);
  }
  if (!(await confirm(context, `Delete the variable ${variable.name} of ${environment.name}?`))) {
    throw new CliError("nothing was deleted");
  }
  await client.variables.deleteVariable({
    environmentId: environment.id,
    id: variable.id,
    confirmInUse: flags["in-use"] === true,
  });
  output.result(
    { name: variable.name, result: "deleted" },
    () => `${printable(variable.name)} deleted`,
  );
  return exitCodes.ok;
}
