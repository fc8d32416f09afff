import { Code, type ConnectRouter } from "@connectrpc/connect";

import { ImportService } from "#gen/vectorflow/v1/import_service_pb.ts";
import { LifecycleService } from "#gen/vectorflow/v1/lifecycle_service_pb.ts";
import { PipelineState } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { DeployEffect } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { HostVerdict, PreviewService } from "#gen/vectorflow/v1/preview_service_pb.ts";

import { changesBetween } from "./fake-pipeline-service.ts";
import { checkYaml, componentsOf, failure, idOf, type FakeWorld } from "./fake-world.ts";

/** Reads a single file of YAML as it is; one that says "broken" has a problem. */
export function fakeImportRoutes(router: ConnectRouter, world: FakeWorld): void {
  router.service(ImportService, {
    readConfiguration({ files }) {
      world.enter("readConfiguration");
      const [first] = files;
      const yaml = new TextDecoder().decode(first?.content);
      const path = first?.path ?? "";
      if (yaml.includes("broken")) {
        return { fileProblems: [{ path, line: 2, message: "the key a is there twice" }] };
      }
      return {
        yaml,
        name: path.replace(/\.yaml$/, ""),
        notices: [{ message: "data_dir is taken out" }],
        problems: checkYaml(yaml),
        components: componentsOf(yaml),
      };
    },
    exportPipeline({ id, format }) {
      world.enter("exportPipeline");
      const { yaml, live } = world.pipeline(id);
      const extension = ["", "yaml", "toml", "json"][format] ?? "";
      return {
        filename: `${live.summary?.name ?? ""}.${extension}`,
        content: yaml,
        notices: extension === "yaml" ? [] : ["comments are left out"],
      };
    },
  });
}

export function fakePreviewRoutes(router: ConnectRouter, world: FakeWorld): void {
  router.service(PreviewService, {
    async *previewOnHosts({ pipelineId }, { signal }) {
      world.enter("previewOnHosts");
      world.pipeline(pipelineId);
      const counts = { targetCount: world.hosts.size, askedCount: world.hosts.size };
      yield counts;
      for (let answered = 1; answered <= world.hosts.size; answered += 1) {
        await world.nextHostAnswer(signal);
        if (signal.aborted) return;
        const names = [...world.hosts.values()].slice(0, answered).map(({ name }) => name);
        yield {
          ...counts,
          answeredCount: answered,
          groups: [
            {
              verdict: HostVerdict.REFUSED,
              componentKey: "out",
              field: "path",
              message: "the policy of this host refuses it",
              nodeNames: names,
              nodeCount: answered,
            },
          ],
          done: answered === world.hosts.size,
        };
      }
    },
    compareVersions({ pipelineId, fromVersion, toVersion }) {
      world.enter("compareVersions");
      const pipeline = world.pipeline(pipelineId);
      const textOf = (number: number): string =>
        number === 0
          ? pipeline.yaml
          : (pipeline.versions.find(({ version }) => version === number)?.configYaml ?? "");
      const [fromYaml, toYaml] = [textOf(fromVersion), textOf(toVersion)];
      return {
        fromYaml,
        toYaml,
        changes: changesBetween(fromYaml, toYaml),
        effect: fromYaml === toYaml ? DeployEffect.NOTHING : DeployEffect.RELOAD,
      };
    },
  });
}

/** Pauses, resumes, clones and promotes what the world has. */
export function fakeLifecycleRoutes(router: ConnectRouter, world: FakeWorld): void {
  const references = (yaml: string) =>
    [...yaml.matchAll(/SECRET\[(\w+)\]/g)].map(([, name = ""]) => ({
      kind: "secret",
      name,
      exists: !world.missingThere.includes(name),
    }));
  router.service(LifecycleService, {
    pausePipeline({ id }) {
      world.enter("pausePipeline");
      const version = world.takeOff(id, PipelineState.PAUSED);
      return { version };
    },
    resumePipeline({ id }) {
      world.enter("resumePipeline");
      const pipeline = world.pipeline(id);
      const { summary } = pipeline.live;
      const version = summary?.pausedVersion || summary?.undeployedVersion || 0;
      if (summary !== undefined) {
        summary.state = PipelineState.DEPLOYED;
        summary.draft = false;
        summary.deployedVersion = version;
        summary.pausedVersion = 0;
        summary.undeployedVersion = 0;
      }
      world.publishPipeline(pipeline);
      return { version };
    },
    clonePipeline({ id, name }) {
      world.enter("clonePipeline");
      const { yaml, live } = world.pipeline(id);
      const clone = world.putPipeline({
        id: `pipe-${world.pipelines.size + 1}`,
        name: name || `${live.summary?.name ?? ""} copy`,
        yaml,
      });
      return { pipeline: { summary: clone.live.summary, yaml, revision: "1" } };
    },
    previewPromotion({ id }) {
      world.enter("previewPromotion");
      const { yaml, revision } = world.pipeline(id);
      return {
        yaml,
        references: references(yaml),
        problems: checkYaml(yaml),
        sourceRevision: String(revision),
      };
    },
    promotePipeline({ id, targetEnvironmentId }) {
      world.enter("promotePipeline");
      const pipeline = world.pipeline(id);
      if (references(pipeline.yaml).some(({ exists }) => !exists)) {
        throw failure(Code.InvalidArgument, "a secret is missing there", "reference_missing");
      }
      world.promoted.push(`${idOf(pipeline)} to ${targetEnvironmentId}`);
      return { created: true };
    },
  });
}
