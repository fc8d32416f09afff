import { Code, type ServiceImpl } from "@connectrpc/connect";

import { Topic } from "#gen/vectorflow/v1/live_service_pb.ts";
import {
  ComponentKind,
  DeployStep,
  PipelineState,
  ProcessState,
} from "#gen/vectorflow/v1/pipeline_pb.ts";
import {
  ChangeKind,
  DeployEffect,
  PipelineService,
} from "#gen/vectorflow/v1/pipeline_service_pb.ts";

import { aStatus } from "./builders.ts";
import {
  checkYaml,
  componentsOf,
  failure,
  idOf,
  type FakePipeline,
  type FakeWorld,
} from "./fake-world.ts";

export const fakePipelineService = { descriptor: PipelineService, create: createService };

function createService(world: FakeWorld): Partial<ServiceImpl<typeof PipelineService>> {
  const toPipeline = (pipeline: FakePipeline) => ({
    summary: pipeline.live.summary,
    yaml: pipeline.yaml,
    revision: String(pipeline.revision),
    problems: checkYaml(pipeline.yaml),
    deployedYaml: pipeline.deployedYaml,
  });
  const deploy = (pipeline: FakePipeline, changelog: string) => {
    const version = world.addVersion(pipeline, changelog);
    world.publishPipeline(pipeline);
    for (const host of world.hosts.values()) {
      world.putStatus(
        aStatus({
          nodeId: host.id,
          nodeName: host.name,
          pipelineId: idOf(pipeline),
          pipelineName: pipeline.live.summary?.name ?? "",
          step: DeployStep.WAITING,
          state: ProcessState.PENDING,
          desiredVersion: version.version,
          attemptedVersion: 0,
          effectiveVersion: version.version - 1,
        }),
      );
    }
    world.publish({ changedTopics: [Topic.VERSIONS, Topic.PIPELINES] });
    return version;
  };

  return {
    getPipeline({ id }) {
      world.enter("getPipeline");
      return { pipeline: toPipeline(world.pipeline(id)) };
    },
    createPipeline(request) {
      world.enter("createPipeline");
      for (const { live } of world.pipelines.values()) {
        if (live.summary?.name !== request.name) continue;
        throw failure(Code.AlreadyExists, "the name is taken", "pipeline_name_taken", [
          { field: "name", message: "another pipeline has this name" },
        ]);
      }
      const id = `pipe-${world.pipelines.size + 1}`;
      return { pipeline: toPipeline(world.putPipeline({ ...request, id })) };
    },
    updatePipeline({ id, revision, yaml, name }) {
      world.enter("updatePipeline");
      const pipeline = world.pipeline(id);
      if (revision !== String(pipeline.revision)) {
        throw failure(Code.Aborted, "somebody else saved meanwhile", "stale_revision");
      }
      pipeline.revision++;
      pipeline.yaml = yaml ?? pipeline.yaml;
      const { summary } = pipeline.live;
      if (summary) {
        summary.name = name ?? summary.name;
        summary.changed = !summary.draft && pipeline.yaml !== pipeline.deployedYaml;
      }
      world.publishPipeline(pipeline);
      world.publish({ changedTopics: [Topic.PIPELINES] });
      return { pipeline: toPipeline(pipeline) };
    },
    previewPipeline({ id, yaml }) {
      world.enter("previewPipeline");
      const { deployedYaml } = world.pipeline(id);
      const problems = checkYaml(yaml);
      return {
        problems,
        components: componentsOf(yaml),
        deployedYaml,
        configYaml: problems.length > 0 ? "" : yaml,
        changes: changesBetween(deployedYaml, yaml),
        effect: deployedYaml === "" ? DeployEffect.START : DeployEffect.RELOAD,
        policyRefusals: world.policyRefusals,
        refusingNodeCount: Math.max(0, ...world.policyRefusals.map(({ nodeCount }) => nodeCount)),
        targets: [...world.hosts.values()].map(({ id, name }) => ({ id, name, connected: true })),
      };
    },
    editPipelineText({ yaml, edit }) {
      world.enter("editPipelineText");
      if (edit.case === "addComponent") {
        const { type } = edit.value;
        return { yaml: `${yaml}  ${type}:\n    type: ${type}\n`, notes: [`${type} was added`] };
      }
      if (edit.case !== "renameComponent") {
        throw failure(Code.InvalidArgument, "there is no such route", "edit_impossible");
      }
      const { key, newKey } = edit.value;
      if (componentsOf(yaml).some((component) => component.key === newKey)) {
        throw failure(
          Code.InvalidArgument,
          `another component is named ${newKey}`,
          "edit_impossible",
        );
      }
      return { yaml: yaml.replaceAll(new RegExp(`\\b${key}\\b`, "g"), newKey), notes: [] };
    },
    deployPipeline({ id, changelog, endPause }) {
      world.enter("deployPipeline");
      if (world.pipeline(id).live.summary?.state === PipelineState.PAUSED && !endPause) {
        throw failure(Code.FailedPrecondition, "it is paused", "pipeline_paused");
      }
      return { version: deploy(world.pipeline(id), changelog) };
    },
    undeployPipeline({ id }) {
      world.enter("undeployPipeline");
      return { version: world.takeOff(id, PipelineState.UNDEPLOYED) };
    },
    rollbackPipeline({ id, version, changelog, revision }) {
      world.enter("rollbackPipeline");
      const pipeline = world.pipeline(id);
      if (revision !== String(pipeline.revision)) {
        throw failure(Code.Aborted, "it was saved again after you reviewed it", "pipeline_changed");
      }
      pipeline.yaml = pipeline.versions.find((old) => old.version === version)?.configYaml ?? "";
      pipeline.revision++;
      return { version: deploy(pipeline, changelog) };
    },
    retryDeploy({ id }) {
      world.enter("retryDeploy");
      const failed = [...world.pipeline(id).statuses.values()].filter(
        ({ step }) => step === DeployStep.FAILED || step === DeployStep.ROLLED_BACK,
      );
      for (const status of failed) {
        world.putStatus({ ...status, step: DeployStep.WAITING, reason: "", problems: [] });
      }
      return { nodeCount: failed.length };
    },
    deletePipeline({ id }) {
      world.enter("deletePipeline");
      world.pipelines.delete(id);
      world.publish({ removedPipelineIds: [id] });
      return {};
    },
    listVersions({ pipelineId, pageSize, pageToken }) {
      world.enter("listVersions");
      const from = Number(pageToken || 0);
      const to = from + (pageSize || 50);
      const { versions } = world.pipeline(pipelineId);
      return {
        versions: versions.slice(from, to),
        nextPageToken: to < versions.length ? String(to) : "",
      };
    },
    getVersion({ pipelineId, version }) {
      world.enter("getVersion");
      return { version: world.pipeline(pipelineId).versions.find((v) => v.version === version) };
    },
  };
}

export function changesBetween(
  before: string,
  after: string,
): { componentKey: string; kind: ChangeKind; fields?: string[] }[] {
  const old = new Set(componentsOf(before).map(({ key }) => key));
  const next = componentsOf(after).filter(({ kind }) => kind !== ComponentKind.UNSPECIFIED);
  const keys = new Set(next.map(({ key }) => key));
  const changed =
    before === after || before === "" ? [] : [...keys].filter((key) => old.has(key)).slice(0, 1);
  return [
    ...[...keys.difference(old)].map((componentKey) => ({ componentKey, kind: ChangeKind.ADDED })),
    ...[...old.difference(keys)].map((componentKey) => ({
      componentKey,
      kind: ChangeKind.REMOVED,
    })),
    ...changed.map((componentKey) => ({
      componentKey,
      kind: ChangeKind.CHANGED,
      fields: ["condition"],
    })),
  ];
}
