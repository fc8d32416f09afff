import { create } from "@bufbuild/protobuf";
import { Code, type ConnectRouter } from "@connectrpc/connect";

import { CertificateService } from "#gen/vectorflow/v1/certificate_service_pb.ts";
import { CertificateSchema, SecretSchema } from "#gen/vectorflow/v1/secret_pb.ts";
import { SecretBackendHealthSchema } from "#gen/vectorflow/v1/secret_backend_pb.ts";
import { SecretBackendService } from "#gen/vectorflow/v1/secret_backend_service_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";

import { toTimestamp } from "../lib/time.ts";
import { fakePage } from "./fake-page.ts";
import { checkYaml, failure, type FakeWorld } from "./fake-world.ts";

/** Secrets and certificates over a fake world. */
export function fakeSecretRoutes(router: ConnectRouter, world: FakeWorld): void {
  const state = world.secrets;
  const now = () => toTimestamp(Date.now());
  router.service(SecretService, {
    listSecrets(request) {
      world.enter("listSecrets");
      const missing = request.pageToken === "" ? state.missing : [];
      return fakePage(world, request, state.secrets.values(), (secrets) => ({
        secrets,
        missing,
        backend: state.health,
      }));
    },
    createSecret({ environmentId, name, value, reference }) {
      world.enter("createSecret");
      if (state.secrets.has(name)) throw taken();
      const secret = create(SecretSchema, {
        id: name,
        environmentId,
        name,
        updateTime: now(),
        ...(reference && { reference, readTime: now() }),
      });
      state.secrets.set(name, secret);
      state.values.set(name, value);
      return { secret };
    },
    updateSecret({ id, value }) {
      world.enter("updateSecret");
      const changed = state.values.get(id) !== value;
      state.values.set(id, value);
      const pipelineNames = (state.secrets.get(id)?.uses ?? [])
        .filter(({ deployed }) => changed && deployed)
        .map(({ pipelineName }) => pipelineName);
      return { changed, pipelineNames };
    },
    revealSecret({ id }) {
      world.enter("revealSecret");
      state.revealed.push(id);
      return { value: state.values.get(id) ?? "" };
    },
    deleteSecret({ id, confirmInUse }) {
      world.enter("deleteSecret");
      if (!confirmInUse && state.secrets.get(id)?.uses.some(({ deployed }) => deployed)) {
        throw failure(Code.FailedPrecondition, "deployed pipelines use it", "secret_in_use");
      }
      state.secrets.delete(id);
      return {};
    },
    moveValueToSecret({ pipelineId, revision, secretName }) {
      world.enter("moveValueToSecret");
      const pipeline = world.pipeline(pipelineId);
      if (revision !== String(pipeline.revision)) {
        throw failure(Code.Aborted, "somebody else saved meanwhile", "pipeline_changed");
      }
      if (state.secrets.has(secretName)) throw taken();
      const value = /password: (\S+)/.exec(pipeline.yaml)?.[1] ?? "";
      pipeline.yaml = pipeline.yaml.replace(value, `"SECRET[${secretName}]"`);
      pipeline.revision++;
      state.secrets.set(secretName, create(SecretSchema, { id: secretName, name: secretName }));
      state.values.set(secretName, value);
      return {
        pipeline: {
          summary: pipeline.live.summary,
          yaml: pipeline.yaml,
          revision: String(pipeline.revision),
          problems: checkYaml(pipeline.yaml),
        },
      };
    },
  });
  router.service(SecretBackendService, {
    getSecretBackend() {
      world.enter("getSecretBackend");
      return {
        settings: state.settings,
        hasCredential: state.credential !== "",
        etag: "1",
        health: state.health,
        commands: state.commands,
      };
    },
    updateSecretBackend({ settings, credential }) {
      world.enter("updateSecretBackend");
      if (settings?.vault?.address === "") {
        throw failure(Code.InvalidArgument, "vault.address is wrong", "invalid_request", [
          { field: "vault.address", message: "must be an address" },
        ]);
      }
      if (settings !== undefined) state.settings = settings;
      state.health = create(SecretBackendHealthSchema, { backend: state.settings.backend });
      if (credential !== "") state.credential = credential;
      return { etag: "2" };
    },
    testSecretBackend({ reference }) {
      world.enter("testSecretBackend");
      const message = state.testFailures.shift();
      if (message !== undefined) return { works: false, message };
      return { works: true, message: reference ? "the secret can be read" : "the sign-in works" };
    },
    refreshSecrets() {
      world.enter("refreshSecrets");
      return { readCount: state.secrets.size, changedNames: ["pw"], pipelineNames: ["auth-logs"] };
    },
  });
  router.service(CertificateService, {
    listCertificates(request) {
      world.enter("listCertificates");
      const all = state.certificates.values();
      return fakePage(world, request, all, (certificates) => ({ certificates }));
    },
    createCertificate({ environmentId, name, filename, type, content }) {
      world.enter("createCertificate");
      if (!content.includes("-----BEGIN")) {
        throw failure(Code.InvalidArgument, "content is not PEM", "invalid_request", [
          { field: "content", message: "is not PEM" },
        ]);
      }
      const certificate = create(CertificateSchema, {
        id: name,
        environmentId,
        name,
        filename,
        type,
        updateTime: now(),
      });
      state.certificates.set(name, certificate);
      return { certificate };
    },
    updateCertificate() {
      world.enter("updateCertificate");
      return { changed: true, pipelineNames: [] };
    },
    deleteCertificate({ id }) {
      world.enter("deleteCertificate");
      state.certificates.delete(id);
      return {};
    },
  });
}

function taken() {
  return failure(Code.AlreadyExists, "the name is taken", "secret_name_taken", [
    { field: "name", message: "is taken" },
  ]);
}
