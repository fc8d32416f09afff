import type { ServiceImpl } from "@connectrpc/connect";
import type { SecretBackendService } from "#gen/vectorflow/v1/secret_backend_service_pb.ts";
import type { ServerDeps } from "../../deps.ts";
import { callScope } from "../../rpc/call-scope.ts";
import {
  failureToProto,
  healthToProto,
  settingsFromProto,
  settingsToProto,
} from "./backend-proto.ts";
import { testBackend, updateBackend } from "./change-backend.ts";
import { refreshSecrets } from "./refresh.ts";
import { readBackend } from "./stored-backend.ts";

/** Where the values of an environment's secrets are kept. */
export function secretBackendRpc(deps: ServerDeps): ServiceImpl<typeof SecretBackendService> {
  const { secretBackends: limits } = deps.config;
  return {
    async getSecretBackend({ environmentId }, ctx) {
      const stored = await readBackend(callScope(deps, ctx).em, environmentId);
      return {
        settings: settingsToProto(stored.settings),
        hasCredential: stored.sealedCredential !== null,
        etag: stored.etag,
        health: healthToProto(stored),
        failureMessage: stored.status?.message ?? "",
        commands: Object.keys(limits.commands).toSorted(),
        kubernetesAllowed: limits.kubernetesAddresses.length > 0,
        awsIdentityAllowed: limits.awsHostIdentity,
      };
    },
    async updateSecretBackend({ environmentId, settings, credential, etag }, ctx) {
      const input = { environmentId, credential, etag, settings: settingsFromProto(settings) };
      return { etag: await updateBackend(callScope(deps, ctx), deps, input) };
    },
    async testSecretBackend({ environmentId, settings, credential, reference }, ctx) {
      const { failure, message } = await testBackend(callScope(deps, ctx), deps, {
        environmentId,
        credential,
        settings: settingsFromProto(settings),
        reference,
      });
      return { works: failure === undefined, failure: failureToProto(failure?.kind), message };
    },
    async refreshSecrets({ environmentId }, ctx) {
      const scope = callScope(deps, ctx);
      const refreshed = await refreshSecrets(scope, deps, environmentId, { asked: true });
      return {
        readCount: refreshed.readCount,
        failedCount: refreshed.failedCount,
        changedNames: [...refreshed.changedNames],
        pipelineNames: [...refreshed.pipelineNames],
      };
    },
  };
}
