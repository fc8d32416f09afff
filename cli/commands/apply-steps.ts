import { Code, ConnectError } from "@connectrpc/connect";
import type { Environment } from "#gen/vectorflow/v1/environment_pb.ts";
import type { ApiClient } from "../client/client.ts";
import { CliError } from "../failures.ts";
import type { Extra, Step } from "../folder/plan.ts";
import type { DeclaredPipeline } from "../folder/read-folder.ts";
import { textDiff } from "../output/pipeline-texts.ts";
import type { Rollout } from "../rollout/wait.ts";
import { plain } from "../output/colour.ts";
import { selectorMessage } from "./apply-review.ts";
import { withSummary } from "./server-pipelines.ts";

/** A pipeline after its step was saved. */
export interface Saved {
  readonly id: string;
  readonly name: string;
  readonly revision: string;
}

/** Saves a draft and its settings; a draft that somebody else saved meanwhile is refused with both sides. */
export async function saveStep(
  client: ApiClient,
  environment: Environment,
  step: Step,
  allowStops: boolean,
): Promise<Saved> {
  const { declared } = step;
  if (step.kind === "unchanged") return step.current;
  if (step.kind === "create") {
    const { pipeline } = await client.pipelines.createPipeline({
      environmentId: environment.id,
      name: declared.name,
      description: declared.settings.description ?? "",
      yaml: declared.yaml,
    });
    const { summary, revision } = withSummary(pipeline);
    const { selector, logLevel, limits } = declared.settings;
    if (selector !== undefined && selector.length > 0) {
      const { etag } = await client.delivery.getDelivery({ pipelineId: summary.id });
      await setSelector(client, summary.id, declared, etag, allowStops);
    }
    if (logLevel !== undefined) {
      await client.delivery.setLogLevel({ pipelineId: summary.id, logLevel });
    }
    if (limits !== undefined) await client.delivery.setLimits({ pipelineId: summary.id, limits });
    return { id: summary.id, name: summary.name, revision };
  }
  const { current, parts } = step;
  const { settings } = declared;
  const saved =
    parts.includes("text") || parts.includes("description")
      ? await saveDraft(client, declared, current.id, current.revision)
      : current.revision;
  // What is deployed follows its settings at once.
  if (parts.includes("selector")) {
    await setSelector(client, current.id, declared, current.selectorEtag, allowStops);
  }
  if (parts.includes("log_level") && settings.logLevel !== undefined) {
    await client.delivery.setLogLevel({ pipelineId: current.id, logLevel: settings.logLevel });
  }
  if (parts.includes("limits") && settings.limits !== undefined) {
    await client.delivery.setLimits({ pipelineId: current.id, limits: settings.limits });
  }
  return { id: current.id, name: current.name, revision: saved };
}

async function saveDraft(
  client: ApiClient,
  declared: DeclaredPipeline,
  id: string,
  revision: string,
): Promise<string> {
  const { description } = declared.settings;
  try {
    const { pipeline } = await client.pipelines.updatePipeline({
      id,
      revision,
      yaml: declared.yaml,
      ...(description !== undefined && { description }),
    });
    return withSummary(pipeline).revision;
  } catch (error) {
    if (ConnectError.from(error).code !== Code.Aborted) throw error;
    throw await staleError(client, declared, id, revision);
  }
}

/** A save that was refused, with what is saved now and what the file has: nothing is lost on either side. */
export async function staleError(
  client: ApiClient,
  declared: DeclaredPipeline,
  id: string,
  revision: string,
): Promise<CliError> {
  const { pipeline } = await client.pipelines.getPipeline({ id });
  const { summary, yaml, revision: newest } = withSummary(pipeline);
  const by = summary.updatedBy === "" ? "somebody" : summary.updatedBy;
  const difference = textDiff(yaml, declared.yaml, plain);
  return new CliError(
    [
      `${summary.name} was saved by ${by} after revision ${revision}; it has revision ${newest} now, and nothing was changed.`,
      ...(difference.length === 0
        ? ["The saved text is the same as in the file."]
        : [`From what is saved (-) to ${declared.path} (+):`, ...difference]),
      "Take the other change over into the file, and apply it again.",
    ].join("\n"),
  );
}

async function setSelector(
  client: ApiClient,
  pipelineId: string,
  { settings }: DeclaredPipeline,
  etag: string,
  allowStops: boolean,
): Promise<void> {
  await client.delivery.setSelector({
    pipelineId,
    selector: selectorMessage(settings.selector ?? []),
    etag,
    confirmStops: allowStops,
  });
}

/** Deploys exactly what was saved. */
export async function deploySaved(
  client: ApiClient,
  { id, name, revision }: Saved,
  reason: string,
  endPause: boolean,
): Promise<Rollout> {
  const { version } = await client.pipelines.deployPipeline({
    id,
    changelog: reason,
    revision,
    endPause,
  });
  if (version === undefined) throw new CliError("the server answered without a version");
  return { pipelineId: id, name, version: version.version };
}

/** Takes a pipeline off its hosts and deletes it. */
export async function removeExtra(client: ApiClient, extra: Extra, reason: string): Promise<void> {
  const { id, deployedVersion, pausedVersion } = extra;
  if (deployedVersion !== 0 || pausedVersion !== 0)
    await client.pipelines.undeployPipeline({ id, reason });
  await client.pipelines.deletePipeline({ id });
}
