import { findEnvironment, findPipeline } from "../client/lookups.ts";
import { CliError, UsageError, exitCodes, type ExitCode } from "../failures.ts";
import { problemLines, textDiff } from "../output/pipeline-texts.ts";
import { printable } from "../output/printable.ts";
import { problemView } from "../output/views.ts";
import { confirm, environmentOf, type CommandContext } from "./context.ts";
import { finish } from "./pipeline-deploy.ts";
import { withSummary } from "./server-pipelines.ts";

/** Takes a pipeline off all hosts for a while. */
export async function pipelinesPause(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument, flags } = context;
  const environment = await environmentOf(context);
  const { id, name, deployedVersion } = await findPipeline(client, environment, argument);
  const question = `Stop ${name} (version ${deployedVersion}) on all hosts of ${environment.name} until it is resumed?`;
  if (!(await confirm(context, question))) throw new CliError("nothing was paused");
  const { version } = await client.lifecycle.pausePipeline({ id, reason: flags.reason ?? "" });
  output.result({ pipeline: name, result: "paused", version }, () =>
    printable(`${name} is paused; version ${version} comes back when it is resumed`),
  );
  return exitCodes.ok;
}

/** Puts back what a pause or an undeploy took off the hosts, and waits for them. */
export async function pipelinesResume(context: CommandContext): Promise<ExitCode> {
  const { client, argument } = context;
  const wanted = versionOf(context) ?? 0;
  const environment = await environmentOf(context);
  const { id, name } = await findPipeline(client, environment, argument);
  const { version } = await client.lifecycle.resumePipeline({ id, version: wanted });
  const rollout = { pipelineId: id, name, version };
  return finish(context, environment, rollout, { pipeline: name, result: "resumed" });
}

export async function pipelinesClone(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument, flags } = context;
  const environment = await environmentOf(context);
  const { id, name } = await findPipeline(client, environment, argument);
  const { pipeline } = await client.lifecycle.clonePipeline({ id, name: flags.as ?? "" });
  const { summary } = withSummary(pipeline);
  const value = { pipeline: summary.name, result: "created", id: summary.id, from: name };
  output.result(value, () => printable(`${summary.name} is a draft with what ${name} has`));
  return exitCodes.ok;
}

/** Shows what a promotion needs and replaces, and then does it: with what runs, or would if it were not paused. */
export async function pipelinesPromote(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument, flags } = context;
  if (flags.to === undefined) throw new UsageError("--to ENVIRONMENT is needed");
  const environment = await environmentOf(context);
  const { id, name, deployedVersion, pausedVersion } = await findPipeline(
    client,
    environment,
    argument,
  );
  const target = await findEnvironment(client, flags.to);
  const given = versionOf(context);
  const version = given ?? (deployedVersion || pausedVersion);
  const what = version === 0 ? `the saved draft of ${name}` : `version ${version} of ${name}`;
  if (given === undefined && version === 0) {
    output.note(printable(`${name} is not deployed: ${what} is what is promoted`));
  }
  const request = { id, targetEnvironmentId: target.id, version, name: flags.as ?? "" };
  const preview = await client.lifecycle.previewPromotion(request);
  const missing = preview.references.filter(({ exists }) => !exists);
  output.show([
    ...missing.map((reference) =>
      output.paint(
        "red",
        printable(`there is no ${reference.kind} ${reference.name} in ${target.name}`),
      ),
    ),
    ...problemLines(preview.problems, output.paint),
    ...(preview.target === undefined
      ? []
      : textDiff(preview.target.yaml, preview.yaml, output.paint)),
  ]);
  const value = {
    pipeline: flags.as ?? name,
    from: { environment: environment.name, version: version || null },
    to: { environment: target.name },
    references: preview.references.map(({ kind, name: reference, exists }) => ({
      kind,
      name: reference,
      exists,
    })),
    problems: preview.problems.map(problemView),
  };
  if (missing.length > 0) {
    const names = missing.map(({ kind, name: missed }) => `${kind} ${missed}`).join(", ");
    output.result({ ...value, result: "refused" }, () =>
      printable(`${target.name} lacks ${names}: nothing was promoted`),
    );
    return exitCodes.failed;
  }
  if (preview.target !== undefined) {
    const loss = preview.target.changed ? ", which was never deployed," : "";
    const question = `Replace the draft of ${preview.target.name} in ${target.name}${loss} with ${what}?`;
    if (!(await confirm(context, question))) throw new CliError("nothing was promoted");
  }
  const { created } = await client.lifecycle.promotePipeline({
    ...request,
    targetRevision: preview.target?.revision ?? "",
    sourceRevision: preview.sourceRevision,
  });
  output.result({ ...value, result: created ? "created" : "updated" }, () =>
    printable(`${value.pipeline} in ${target.name} is a draft with ${what} now; deploy it there`),
  );
  return exitCodes.ok;
}

export async function pipelinesDelete(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument } = context;
  const environment = await environmentOf(context);
  const { id, name, deployedVersion } = await findPipeline(client, environment, argument);
  const running = deployedVersion === 0 ? "" : `, of which version ${deployedVersion} is deployed`;
  const question = `Delete ${name}${running}, with its versions, from ${environment.name}?`;
  if (!(await confirm(context, question))) throw new CliError("nothing was deleted");
  await client.pipelines.deletePipeline({ id });
  output.result({ pipeline: name, result: "deleted" }, () => printable(`${name} deleted`));
  return exitCodes.ok;
}

/** The number that was given; undefined when none was. */
function versionOf({ flags }: CommandContext): number | undefined {
  if (flags.version === undefined) return undefined;
  const version = Number(flags.version);
  if (!Number.isInteger(version) || version < 0 || version > 0xffff_ffff) {
    throw new UsageError("--version must be the number of a version");
  }
  return version;
}
