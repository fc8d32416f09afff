import type { ServiceImpl } from "@connectrpc/connect";
import type { CertificateService } from "#gen/vectorflow/v1/certificate_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { callScope } from "../rpc/call-scope.ts";
import {
  createCertificate,
  deleteCertificate,
  listCertificates,
  updateCertificate,
} from "./certificates.ts";
import { certificateToProto, fileTypeFromProto, missingToProto } from "./secret-proto.ts";
import { readUses } from "./uses.ts";

export function certificateRpc(deps: ServerDeps): ServiceImpl<typeof CertificateService> {
  return {
    async listCertificates({ environmentId }, ctx) {
      const scope = callScope(deps, ctx);
      const certificates = await listCertificates(scope, environmentId);
      const uses = await readUses(scope, environmentId, "certificate");
      return {
        certificates: certificates.map((certificate) => certificateToProto(certificate, uses)),
        missing: missingToProto(uses, certificates),
      };
    },
    async createCertificate(request, ctx) {
      const input = { ...request, fileType: fileTypeFromProto(request.type) };
      const certificate = await createCertificate(callScope(deps, ctx), deps, input);
      return { certificate: certificateToProto(certificate) };
    },
    async updateCertificate(request, ctx) {
      const scope = callScope(deps, ctx);
      const { certificate, changed, pipelineNames } = await updateCertificate(scope, deps, request);
      return {
        certificate: certificateToProto(certificate),
        changed,
        pipelineNames: [...pipelineNames],
      };
    },
    async deleteCertificate(request, ctx) {
      await deleteCertificate(callScope(deps, ctx), request);
      return {};
    },
  };
}
