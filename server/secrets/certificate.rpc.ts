import type { ServiceImpl } from "@connectrpc/connect";
import type { CertificateService } from "#gen/vectorflow/v1/certificate_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { callScope } from "../rpc/call-scope.ts";
import { decodePageToken, isText, pageOf, pageSize } from "../rpc/page-token.ts";
import {
  createCertificate,
  deleteCertificate,
  listCertificates,
  updateCertificate,
} from "./certificates.ts";
import { certificateToProto, fileTypeFromProto, missingToProto } from "./secret-proto.ts";
import { findMissing, readUses } from "./uses.ts";

export function certificateRpc(deps: ServerDeps): ServiceImpl<typeof CertificateService> {
  return {
    async listCertificates({ environmentId, ...request }, ctx) {
      const size = pageSize(request.pageSize, 500, 500);
      const after = decodePageToken(request.pageToken, isText);
      const scope = callScope(deps, ctx);
      const rows = await listCertificates(scope, environmentId, { after, limit: size + 1 });
      const { page, nextPageToken } = pageOf(rows, size, ({ name }) => name);
      const uses = await readUses(scope, environmentId, "certificate");
      const missing =
        after === undefined ? await findMissing(scope, environmentId, "certificate", uses) : [];
      return {
        certificates: page.map((certificate) => certificateToProto(certificate, uses)),
        missing: missing.map(missingToProto),
        nextPageToken,
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
