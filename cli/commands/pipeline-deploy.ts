import type { Environment } from "#gen/vectorflow/v1/environment_pb.ts";
import { ConfigurationFormat } from "#gen/vectorflow/v1/import_service_pb.ts";
import type { PipelineSummary, PipelineVersion } from "#gen/vectorflow/v1/pipeline_pb.ts";
import type { ApiClient } from "../client/client.ts";
import { findPipeline } from "../client/lookups.ts";
import { CliError, UsageError, exitCodes, type ExitCode } from "../failures.ts";
import { effectName } from "../output/names.ts";
import {
  countOf,
  effectLines,
  hasErrors,
  problemLines,
  textDiff,
} from "../output/pipeline-texts.ts";
import { printable } from "../output/printable.ts";
import { changeView, problemView } from "../output/views.ts";
import { describeResults, resultView, waitForHosts, type Rollout } from "../rollout/wait.ts";
import { confirm, environmentOf, type CommandContext } from "./context.ts";
import { askHosts } from "./host-checks.ts";
import { withSummary } from "./server-pipelines.ts";

/** Deploys a saved draft: exactly the one that was shown. */
export async function pipelinesDeploy(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument, flags } = context;
  const environment = await environmentOf(context);
  const { id, name } = await findPipeline(client, environment, argument);
  const { summary, yaml, revision } = withSummary(
    (await client.pipelines.getPipeline({ id })).pipeline,
  );
  if (summary.pausedVersion !== 0 && flags["end-pause"] !== true) throw pausedError(summary);
  const preview = await client.pipelines.previewPipeline({ id, yaml });
  output.show([
    ...problemLines(preview.problems, output.paint),
    ...effectLines(preview, output.paint),
  ]);
  const review = {
    pipeline: name,
    problems: preview.problems.map(problemView),
    changes: preview.changes.map(changeView),
    changed_options: preview.changedOptions,
    effect: effectName(preview.effect),
    target_count: preview.targets.length,
  };
  if (hasErrors(preview.problems)) {
    output.result({ ...review, result: "refused", version: null, rollout: null }, () =>
      printable(`${name} has errors: nothing was deployed`),
    );
    return exitCodes.failed;
  }
  const hosts = flags["check-hosts"] === true ? await askHosts(context, id, yaml) : undefined;
  if (hosts !== undefined) {
    output.show(hosts.lines);
    if (hosts.refusingCount > 0) {
      const value = { ...review, host_checks: hosts.view, result: "refused", version: null };
      output.result({ ...value, rollout: null }, () =>
        printable(
          `${countOf(hosts.refusingCount, "host")} would refuse ${name}: nothing was deployed`,
        ),
      );
      return exitCodes.failed;
    }
  }
  const upToDate = summary.deployedVersion !== 0 && !summary.changed;
  if (flags["dry-run"] === true) {
    const result = upToDate ? "unchanged" : "would_deploy";
    output.result({ ...review, result, version: null, rollout: null }, () =>
      upToDate ? "nothing to deploy" : "not deployed: this is a dry run",
    );
    return upToDate ? exitCodes.ok : exitCodes.differences;
  }
  if (upToDate) {
    output.note(`version ${summary.deployedVersion} of ${name} has this draft already`);
    const rollout = { pipelineId: id, name, version: summary.deployedVersion };
    return finish(context, environment, rollout, { ...review, result: "unchanged" });
  }
  await askOnTerminal(context, `Deploy ${name} to ${countOf(preview.targets.length, "host")}?`);
  const { version } = await client.pipelines.deployPipeline({
    id,
    changelog: flags.reason ?? "",
    revision,
    endPause: flags["end-pause"] === true,
  });
  return finish(context, environment, rolloutOf(id, name, version), {
    ...review,
    result: "deployed",
  });
}

function pausedError({ name, pausedVersion }: PipelineSummary): CliError {
  return new CliError(
    `${name} is paused: give --end-pause to deploy it all the same, or resume it, which puts version ${pausedVersion} back`,
  );
}

/** Publishes an old version again, after showing what that changes. */
export async function pipelinesRollback(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument, flags } = context;
  const wanted = Number(flags.version);
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > 0xffff_ffff) {
    throw new UsageError("--version must be the number of a version");
  }
  const environment = await environmentOf(context);
  const found = await findPipeline(client, environment, argument);
  const { id, name } = found;
  if (found.pausedVersion !== 0 && flags["end-pause"] !== true) throw pausedError(found);
  const [got, old] = await Promise.all([
    client.pipelines.getPipeline({ id }),
    client.pipelines.getVersion({ pipelineId: id, version: wanted }),
  ]);
  const draft = withSummary(got.pipeline);
  const config = old.version?.configYaml ?? "";
  const difference = textDiff(draft.deployedYaml, config, output.paint);
  output.show(
    difference.length === 0 ? ["what is deployed has the same configuration"] : difference,
  );
  const lost = await lostText(client, draft, wanted);
  if (lost === undefined) {
    await askOnTerminal(context, `Go back to version ${wanted} of ${name}?`);
  } else {
    output.show([
      output.paint("red", "the draft has what was never deployed, and is replaced:"),
      ...textDiff(lost.deployed, lost.draft, output.paint),
    ]);
    const question = `Go back to version ${wanted} of ${name}, and lose what is only in its draft?`;
    if (!(await confirm(context, question))) throw new CliError("nothing was deployed");
  }
  const { version } = await client.pipelines.rollbackPipeline({
    id,
    version: wanted,
    changelog: flags.reason ?? "",
    revision: draft.revision,
    endPause: flags["end-pause"] === true,
  });
  return finish(context, environment, rolloutOf(id, name, version), {
    pipeline: name,
    from_version: wanted,
    draft_lost: lost !== undefined,
    result: "deployed",
  });
}

/** The texts of a draft that going back to a version takes away; undefined when a version has it too. */
async function lostText(
  client: ApiClient,
  { summary, yaml }: ReturnType<typeof withSummary>,
  wanted: number,
): Promise<{ readonly deployed: string; readonly draft: string } | undefined> {
  const { id, deployedVersion, pausedVersion, undeployedVersion } = summary;
  const format = ConfigurationFormat.YAML;
  const textOf = async (version: number): Promise<string> =>
    (await client.imports.exportPipeline({ id, version, format })).content;
  const deployed = await textOf(deployedVersion || pausedVersion || undeployedVersion || wanted);
  if (yaml === deployed || yaml === (await textOf(wanted))) return undefined;
  return { deployed, draft: yaml };
}

/** Takes a pipeline off all hosts. */
export async function pipelinesUndeploy(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument, flags } = context;
  const environment = await environmentOf(context);
  const { id, name, deployedVersion, pausedVersion } = await findPipeline(
    client,
    environment,
    argument,
  );
  if (deployedVersion === 0 && pausedVersion === 0) {
    output.result({ pipeline: name, result: "unchanged" }, () =>
      printable(`${name} is not deployed`),
    );
    return exitCodes.ok;
  }
  const question =
    pausedVersion === 0
      ? `Stop ${name} (version ${deployedVersion}) on all hosts of ${environment.name}?`
      : `Undeploy ${name}, of which version ${pausedVersion} is paused in ${environment.name}?`;
  if (!(await confirm(context, question))) throw new CliError("nothing was undeployed");
  await client.pipelines.undeployPipeline({ id, reason: flags.reason ?? "" });
  output.result({ pipeline: name, result: "undeployed" }, () => printable(`${name} undeployed`));
  return exitCodes.ok;
}

/** A person gets to read first; a script that names the command means it. */
async function askOnTerminal(context: CommandContext, question: string): Promise<void> {
  if (!context.stdin.isTerminal) return;
  if (!(await confirm(context, question))) throw new CliError("nothing was deployed");
}

function rolloutOf(id: string, name: string, version: PipelineVersion | undefined): Rollout {
  if (version === undefined) throw new CliError("the server answered without a version");
  return { pipelineId: id, name, version: version.version };
}

/** Waits as asked, and reports. */
export async function finish(
  context: CommandContext,
  environment: Environment,
  rollout: Rollout,
  review: object,
): Promise<ExitCode> {
  const { client, output, flags, waitMs, signal } = context;
  const value = { ...review, version: rollout.version };
  const text = `version ${rollout.version} of ${rollout.name} is deployed`;
  if (waitMs === 0) {
    output.result({ ...value, rollout: null }, () => printable(text));
    return exitCodes.ok;
  }
  output.note(`${text}; waiting for its hosts`);
  const results = await waitForHosts(
    client,
    [rollout],
    { environmentId: environment.id, waitMs, skipUnreachable: flags["skip-unreachable"] === true },
    output,
    signal,
  );
  const [result] = results.map(resultView);
  output.result({ ...value, rollout: result ?? null }, () => printable(describeResults(results)));
  return results.every(({ good }) => good) ? exitCodes.ok : exitCodes.failed;
}
