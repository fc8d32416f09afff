import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { PipelineSchema } from "#gen/vectorflow/v1/pipeline_pb.ts";
import type { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { freshView } from "../db/transaction.ts";
import type { ServerDeps } from "../deps.ts";
import { notFound } from "../errors.ts";
import { previewPolicies } from "../fleet/policy-preview.ts";
import { callScope } from "../rpc/call-scope.ts";
import { decodePageToken, encodePageToken, isNamePlace, pageSize } from "../rpc/page-token.ts";
import type { Scope } from "../scope.ts";
import { compileIn, editPipeline, placementOf } from "./compile-in.ts";
import { compareConfigs } from "../configuration/changes.ts";
import { loadCatalogue } from "../configuration/catalogue.ts";
import { deletePipeline } from "./life/deletion.ts";
import {
  deployPipeline,
  findVersion,
  retryDeploy,
  rollbackPipeline,
  undeployPipeline,
} from "./deployments.ts";
import { listPipelines, readPipelineRow } from "./pipeline-list.ts";
import {
  changesToProto,
  componentToProto,
  editFromProto,
  problemsToProto,
  programsToProto,
  refusalToProto,
  statusToProto,
  summaryToProto,
  versionToProto,
} from "./pipeline-proto.ts";
import type { Pipeline } from "./pipeline.entity.ts";
import { createPipeline, findPipeline, updatePipeline } from "./pipelines.ts";
import { listStatuses } from "./statuses.ts";
import { listVersions, readVersion } from "./versions.ts";

export function pipelineRpc(deps: ServerDeps): ServiceImpl<typeof PipelineService> {
  const { compiler } = deps;
  return {
    async listPipelines(request, ctx) {
      const size = pageSize(request.pageSize, 100, 500);
      const after = decodePageToken(request.pageToken, isNamePlace);
      const { em } = callScope(deps, ctx);
      const rows = await listPipelines(em, request.environmentId, after, size + 1);
      const page = rows.slice(0, size);
      const last = page.at(-1);
      return {
        pipelines: page.map(summaryToProto),
        nextPageToken:
          rows.length > size && last !== undefined
            ? encodePageToken({ name: last.name.toLowerCase(), id: last.id })
            : "",
      };
    },
    async getPipeline(request, ctx) {
      const scope = callScope(deps, ctx);
      const pipeline = await findPipeline(scope, request.id);
      const nodes = await listStatuses(scope.em, { pipelineId: request.id });
      return {
        pipeline: await fullPipeline(deps, scope, pipeline),
        nodes: nodes.map(statusToProto),
      };
    },
    async createPipeline(request, ctx) {
      const scope = callScope(deps, ctx);
      const pipeline = await createPipeline(scope, compiler, request);
      return { pipeline: await fullPipeline(deps, scope, pipeline) };
    },
    async updatePipeline(request, ctx) {
      const scope = callScope(deps, ctx);
      const pipeline = await updatePipeline(scope, compiler, request);
      return { pipeline: await fullPipeline(deps, scope, pipeline) };
    },
    async deletePipeline(request, ctx) {
      await deletePipeline(callScope(deps, ctx), request.id);
      return {};
    },
    async previewPipeline(request, ctx) {
      return preview(deps, callScope(deps, ctx), request);
    },
    async checkPipeline({ environmentId, yaml }, ctx) {
      const scope = callScope(deps, ctx);
      const placement = { environmentId, selector: null };
      const { problems, components } = await compileIn(scope, compiler, placement, yaml);
      return {
        problems: problemsToProto(problems, yaml),
        components: components.map(componentToProto),
      };
    },
    async editPipelineText({ yaml, edit }) {
      const { text, edits, notes } = await editPipeline(compiler, yaml, editFromProto(edit));
      return { yaml: text, edits: [...edits], notes: [...notes] };
    },
    async deployPipeline(request, ctx) {
      const scope = callScope(deps, ctx);
      const { version } = await deployPipeline(scope, compiler, request);
      return { version: versionToProto(await readVersion(scope.em, request.id, version), true) };
    },
    async undeployPipeline(request, ctx) {
      const version = await undeployPipeline(callScope(deps, ctx), request.id, request.reason);
      return { version };
    },
    async rollbackPipeline(request, ctx) {
      const scope = callScope(deps, ctx);
      const { version } = await rollbackPipeline(scope, compiler, request);
      return { version: versionToProto(await readVersion(scope.em, request.id, version), true) };
    },
    async retryDeploy(request, ctx) {
      return { nodeCount: await retryDeploy(callScope(deps, ctx), request.id) };
    },
    async listVersions(request, ctx) {
      const size = pageSize(request.pageSize, 50, 100);
      const below = decodePageToken(request.pageToken, (place) => typeof place === "number");
      const { em } = callScope(deps, ctx);
      const rows = await listVersions(em, request.pipelineId, below, size + 1);
      const page = rows.slice(0, size);
      return {
        versions: page.map((row) => versionToProto(row, false)),
        nextPageToken: rows.length > size ? encodePageToken(page.at(-1)?.version) : "",
      };
    },
    async getVersion(request, ctx) {
      const { em } = callScope(deps, ctx);
      return {
        version: versionToProto(await readVersion(em, request.pipelineId, request.version), true),
      };
    },
  };
}

/** A pipeline with its text and problems, read anew. */
export async function fullPipeline(
  deps: ServerDeps,
  scope: Scope,
  pipeline: Pipeline,
): Promise<MessageInitShape<typeof PipelineSchema>> {
  const em = freshView(scope);
  const row = await readPipelineRow(em, pipeline.id);
  if (row === undefined) throw notFound("pipeline", pipeline.id);
  const { problems, components } = await compileIn(
    scope,
    deps.compiler,
    placementOf(pipeline),
    pipeline.yaml,
  );
  const deployed =
    row.deployedVersion === null
      ? undefined
      : await readVersion(em, pipeline.id, row.deployedVersion);
  return {
    summary: summaryToProto(row),
    yaml: pipeline.yaml,
    revision: String(pipeline.revision),
    problems: problemsToProto(problems, pipeline.yaml),
    deployedYaml: deployed?.configYaml ?? "",
    components: components.map(componentToProto),
  };
}

async function preview(
  deps: ServerDeps,
  scope: Scope,
  request: { readonly id: string; readonly yaml: string },
) {
  const pipeline = await findPipeline(scope, request.id);
  const placement = placementOf(pipeline);
  const { selector } = placement;
  const compiled = await compileIn(scope, deps.compiler, placement, request.yaml, {
    rendered: true,
  });
  // What is paused is what would come back without this deploy.
  const base = pipeline.deployedVersion ?? pipeline.pausedVersion ?? null;
  const deployed = base === null ? undefined : await findVersion(scope, pipeline.id, base);
  // Also taken apart on the compiler's thread: it may be as large as the draft (S8).
  const before =
    deployed === undefined
      ? undefined
      : // What hosts run was made with these values.
        await deps.compiler.parse(deployed.sourceYaml, deployed.variables);
  const targets = await scope.em.execute<{ id: string; name: string; connected: boolean }[]>(
    `select "id", "name", "status" in ('HEALTHY', 'DEGRADED') as "connected" from "VectorNode"
     where "environmentId" = ? and "nodeTokenHash" is not null
       and (?::jsonb is null or "node_selector_matches"(?::jsonb, "labels")) order by lower("name") limit 1000`,
    [pipeline.environmentId, selector, selector],
  );
  const policies =
    compiled.configYaml === undefined
      ? { refusals: [], refusingNodeCount: 0 }
      : await previewPolicies(scope.em, pipeline.environmentId, selector, compiled.configYaml);
  return {
    configYaml: compiled.configYaml ?? "",
    problems: problemsToProto(compiled.problems, request.yaml),
    components: compiled.components.map(componentToProto),
    programs: programsToProto(compiled.programs),
    deployedYaml: deployed?.configYaml ?? "",
    ...changesToProto(
      compiled.filledGraph === undefined
        ? undefined
        : compareConfigs(before, compiled.filledGraph, loadCatalogue()),
    ),
    targets,
    policyRefusals: policies.refusals.map(refusalToProto),
    refusingNodeCount: policies.refusingNodeCount,
  };
}
