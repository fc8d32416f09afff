import type { ServiceImpl } from "@connectrpc/connect";
import type { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { moveValueToSecret } from "../pipelines/move-value.ts";
import { fullPipeline } from "../pipelines/pipeline.rpc.ts";
import { callScope } from "../rpc/call-scope.ts";
import { decodePageToken, isText, pageOf, pageSize } from "../rpc/page-token.ts";
import { FieldViolations } from "../errors.ts";
import type { SecretReference } from "./backends/backend.ts";
import { healthToProto } from "./backends/backend-proto.ts";
import { readBackend } from "./backends/stored-backend.ts";
import { createReferredSecret, updateReference } from "./referred-secrets.ts";
import { missingToProto, secretToProto } from "./secret-proto.ts";
import { createSecret, deleteSecret, listSecrets, revealSecret, updateSecret } from "./secrets.ts";
import { findMissing, readUses } from "./uses.ts";

export function secretRpc(deps: ServerDeps): ServiceImpl<typeof SecretService> {
  return {
    async listSecrets({ environmentId, ...request }, ctx) {
      const size = pageSize(request.pageSize, 500, 500);
      const after = decodePageToken(request.pageToken, isText);
      const scope = callScope(deps, ctx);
      const rows = await listSecrets(scope, environmentId, { after, limit: size + 1 });
      const { page, nextPageToken } = pageOf(rows, size, ({ name }) => name);
      const uses = await readUses(scope, environmentId, "secret");
      const missing =
        after === undefined ? await findMissing(scope, environmentId, "secret", uses) : [];
      const backend = await readBackend(scope.em, environmentId);
      return {
        backend: healthToProto(backend),
        secrets: page.map((secret) => secretToProto(secret, uses)),
        missing: missing.map(missingToProto),
        nextPageToken,
      };
    },
    async createSecret(request, ctx) {
      const { environmentId, name, reference } = request;
      const scope = callScope(deps, ctx);
      const secret =
        reference === undefined
          ? await createSecret(scope, deps, request)
          : await createReferredSecret(scope, deps, {
              environmentId,
              name,
              reference: oneOf(request.value, reference),
            });
      return { secret: secretToProto(secret) };
    },
    async updateSecret(request, ctx) {
      const scope = callScope(deps, ctx);
      const { environmentId, id, reference } = request;
      const { secret, changed, pipelineNames } =
        reference === undefined
          ? await updateSecret(scope, deps, request)
          : await updateReference(scope, deps, {
              environmentId,
              id,
              reference: oneOf(request.value, reference),
            });
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

/** A reference without the value that it stands for. Throws `invalid` when both are given. */
function oneOf(value: string, { path, key, version }: SecretReference): SecretReference {
  const violations = new FieldViolations();
  if (value !== "") violations.add("value", "must be empty with a reference");
  violations.throwIfAny();
  return { path, key, version };
}
