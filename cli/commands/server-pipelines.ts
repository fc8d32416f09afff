import type { Environment } from "#gen/vectorflow/v1/environment_pb.ts";
import type { Pipeline, PipelineSummary } from "#gen/vectorflow/v1/pipeline_pb.ts";
import type { Selector } from "#gen/vectorflow/v1/delivery_pb.ts";
import type { Limits } from "#gen/vectorflow/v1/delivery_service_pb.ts";
import type { ApiClient } from "../client/client.ts";
import { CliError } from "../failures.ts";
import type { CurrentPipeline } from "../folder/plan.ts";
import { operatorNames, type SelectorTerm } from "../folder/settings.ts";
import { operatorName } from "../output/names.ts";

/** A pipeline with all that files can say of it. */
export async function readCurrent(client: ApiClient, id: string): Promise<CurrentPipeline> {
  const [{ pipeline }, delivery] = await Promise.all([
    client.pipelines.getPipeline({ id }),
    client.delivery.getDelivery({ pipelineId: id }),
  ]);
  const { summary, yaml, revision } = withSummary(pipeline);
  return {
    id,
    name: summary.name,
    yaml,
    revision,
    settings: {
      description: summary.description,
      selector: selectorTerms(delivery.selector),
      logLevel: delivery.logLevel,
      limits: limitsOf(delivery.limits),
    },
    selectorEtag: delivery.etag,
    deployedVersion: summary.deployedVersion,
    pausedVersion: summary.pausedVersion,
    changed: summary.changed,
  };
}

export function withSummary(
  pipeline: Pipeline | undefined,
): Pipeline & { readonly summary: PipelineSummary } {
  if (pipeline?.summary === undefined) throw new CliError("the server answered without a pipeline");
  return { ...pipeline, summary: pipeline.summary };
}

export function limitsOf(limits: Limits | undefined) {
  return { memoryMib: limits?.memoryMib ?? 0, cpuCores: limits?.cpuCores ?? 0 };
}

export function selectorTerms(selector: Selector | undefined): readonly SelectorTerm[] {
  return (selector?.terms ?? []).map(({ key, operator, values }) => {
    const name = operatorNames.find((one) => one === operatorName(operator));
    if (name === undefined) {
      throw new CliError(`the selector has a condition on ${key} that this version does not know`);
    }
    return { key, operator: name, values };
  });
}

/** For messages: which environment, and where. */
export function placeOf(client: ApiClient, environment: Environment): string {
  return `${environment.name} at ${client.baseUrl}`;
}
