import type { ServiceImpl } from "@connectrpc/connect";
import type { LifecycleService } from "#gen/vectorflow/v1/lifecycle_service_pb.ts";
import type { ServerDeps } from "../../deps.ts";
import { callScope } from "../../rpc/call-scope.ts";
import { clonePipeline } from "./clone.ts";
import { pausePipeline, resumePipeline } from "./pausing.ts";
import { problemsToProto, stateToProto } from "../pipeline-proto.ts";
import { fullPipeline } from "../pipeline.rpc.ts";
import { previewPromotion, promotePipeline } from "./promotion.ts";

export function lifecycleRpc(deps: ServerDeps): ServiceImpl<typeof LifecycleService> {
  const { compiler } = deps;
  return {
    async pausePipeline({ id, reason }, ctx) {
      return { version: await pausePipeline(callScope(deps, ctx), id, reason) };
    },
    async resumePipeline({ id, version }, ctx) {
      return { version: await resumePipeline(callScope(deps, ctx), id, version) };
    },
    async clonePipeline(request, ctx) {
      const scope = callScope(deps, ctx);
      const pipeline = await clonePipeline(scope, compiler, request);
      return { pipeline: await fullPipeline(deps, scope, pipeline) };
    },
    async previewPromotion(request, ctx) {
      const preview = await previewPromotion(callScope(deps, ctx), compiler, request);
      const { yaml, target } = preview;
      return {
        yaml,
        references: [...preview.references],
        problems: problemsToProto(preview.problems, yaml),
        sourceRevision: String(preview.sourceRevision),
        ...(target === undefined
          ? {}
          : {
              target: {
                id: target.id,
                name: target.name,
                revision: String(target.revision),
                yaml: target.yaml,
                changed: target.changed,
                state: stateToProto(target),
              },
            }),
      };
    },
    async promotePipeline(request, ctx) {
      const scope = callScope(deps, ctx);
      const { pipeline, created } = await promotePipeline(scope, compiler, request);
      return { pipeline: await fullPipeline(deps, scope, pipeline), created };
    },
  };
}
