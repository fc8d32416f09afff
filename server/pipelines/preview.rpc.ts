import type { ServiceImpl } from "@connectrpc/connect";
import { HostVerdict, type PreviewService } from "#gen/vectorflow/v1/preview_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { callScope } from "../rpc/call-scope.ts";
import { editorLife } from "../sampling/editor-life.ts";
import type { Scope } from "../scope.ts";
import { loadCatalogue } from "../configuration/catalogue.ts";
import { compareConfigs } from "../configuration/changes.ts";
import { compileIn, placementOf } from "./compile-in.ts";
import type { PipelineCompiler } from "../configuration/compiler.ts";
import { findVersion } from "./deployments.ts";
import type { PipelineGraph } from "../configuration/graph.ts";
import type { HostVerdict as Verdict } from "../host-checks/host-check-groups.ts";
import { changesToProto } from "./pipeline-proto.ts";
import { findPipeline } from "./pipelines.ts";
import { previewOnHosts } from "../host-checks/preview-on-hosts.ts";

const verdictToProto = {
  accepted: HostVerdict.ACCEPTED,
  refused: HostVerdict.REFUSED,
  failed: HostVerdict.FAILED,
  not_connected: HostVerdict.NOT_CONNECTED,
  too_old: HostVerdict.TOO_OLD,
  no_answer: HostVerdict.NO_ANSWER,
} satisfies Record<Verdict, HostVerdict>;

/** One side of a comparison. */
interface Side {
  readonly graph: PipelineGraph | undefined;
  /** What hosts get, or what a person wrote when that cannot be rendered. */
  readonly yaml: string;
}

export function previewRpc(deps: ServerDeps): ServiceImpl<typeof PreviewService> {
  return {
    async compareVersions({ pipelineId, fromVersion, toVersion }, ctx) {
      const scope = callScope(deps, ctx);
      const from = await readSide(scope, deps.compiler, pipelineId, fromVersion);
      const to = await readSide(scope, deps.compiler, pipelineId, toVersion);
      return {
        fromYaml: from.yaml,
        toYaml: to.yaml,
        ...changesToProto(
          from.graph === undefined || to.graph === undefined
            ? undefined
            : compareConfigs(from.graph, to.graph, loadCatalogue()),
        ),
      };
    },
    async *previewOnHosts(request, ctx) {
      using life = editorLife(deps, ctx, request.pipelineId);
      for await (const preview of previewOnHosts(
        deps,
        callScope(deps, ctx),
        request,
        life.signal,
      )) {
        yield {
          ...preview,
          groups: preview.groups.map((group) => ({
            ...group,
            verdict: verdictToProto[group.verdict],
            nodeNames: [...group.nodeNames],
          })),
        };
      }
      life.throwIfEnded();
    },
  };
}

/** Texts are taken apart on the compiler's thread (S8). */
async function readSide(
  scope: Scope,
  compiler: PipelineCompiler,
  pipelineId: string,
  version: number,
): Promise<Side> {
  const pipeline = await findPipeline(scope, pipelineId);
  const placement = placementOf(pipeline);
  if (version === 0) {
    const { yaml } = pipeline;
    const compiled = await compileIn(scope, compiler, placement, yaml, { rendered: true });
    return { graph: compiled.filledGraph, yaml: compiled.configYaml ?? yaml };
  }
  const { sourceYaml, configYaml, variables } = await findVersion(scope, pipelineId, version);
  const { filledGraph } = await compileIn(scope, compiler, placement, sourceYaml, { variables });
  return { graph: filledGraph, yaml: configYaml };
}
