import type { ServiceImpl } from "@connectrpc/connect";
import type { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { moveValueToSecret } from "../pipelines/move-value.ts";
import { fullPipeline } from "../pipelines/pipeline.rpc.ts";
import { callScope } from "../rpc/call-scope.ts";
import { missingToProto, secretToProto } from "./secret-proto.ts";
import { createSecret, deleteSecret, listSecrets, revealSecret, updateSecret } from "./secrets.ts";
import { readUses } from "./uses.ts";

export function secretRpc(deps: ServerDeps): ServiceImpl<typeof SecretService> {
  return {
    async listSecrets({ environmentId }, ctx) {
      const scope = callScope(deps, ctx);
      const secrets = await listSecrets(scope, environmentId);
      const uses = await readUses(scope, environmentId, "secret");
      return {
        secrets: secrets.map((secret) => secretToProto(secret, uses)),
        missing: missingToProto(uses, secrets),
      };
    },
    async createSecret(request, ctx) {
      return { secret: secretToProto(await createSecret(callScope(deps, ctx), deps, request)) };
    },
    async updateSecret(request, ctx) {
      const scope = callScope(deps, ctx);
      const { secret, changed, pipelineNames } = await updateSecret(scope, deps, request);
      return { secret: secretToProto(secret), changed, pipelineNames: [...pipelineNames] };
    },
    async revealSecret(request, ctx) {
      return { value: await revealSecret(callScope(deps, ctx), deps, request) };
    },
    async deleteSecret(request, ctx) {
      await deleteSecret(callScope(deps, ctx), request);
      return {};
    },
    async moveValueToSecret(request, ctx) {
      const scope = callScope(deps, ctx);
      const { pipeline, versions } = await moveValueToSecret(scope, deps, request);
      return {
        pipeline: await fullPipeline(deps, scope, pipeline),
        versionsWithValue: [...versions],
      };
    },
  };
}
