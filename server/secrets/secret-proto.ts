import type { Message, MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  CertificateType,
  type CertificateSchema,
  type SecretSchema,
} from "#gen/vectorflow/v1/secret_pb.ts";
import type { MissingReferenceSchema } from "#gen/vectorflow/v1/secret_service_pb.ts";
import { failureToProto } from "./backends/backend-proto.ts";
import type { CertificateView } from "./certificates.ts";
import type { FileType } from "./pem.ts";
import type { SecretView } from "./secrets.ts";
import type { ReferenceUse } from "./uses.ts";

type Init<T> = Exclude<T, Message>;
type Uses = ReadonlyMap<string, readonly ReferenceUse[]>;

export function secretToProto(
  secret: SecretView,
  uses: Uses = new Map(),
): Init<MessageInitShape<typeof SecretSchema>> {
  return {
    id: secret.id,
    environmentId: secret.environmentId,
    name: secret.name,
    createTime: timestampFromDate(secret.createdAt),
    updateTime: timestampFromDate(secret.updatedAt),
    uses: [...(uses.get(secret.name) ?? [])],
    ...(secret.reference != null && { reference: secret.reference }),
    ...(secret.readAt != null && { readTime: timestampFromDate(secret.readAt) }),
    failure: failureToProto(secret.readFailure),
  };
}

const types: Readonly<Record<string, CertificateType>> = {
  ca: CertificateType.CA,
  cert: CertificateType.CERT,
  key: CertificateType.KEY,
};

export function fileTypeFromProto(type: CertificateType): FileType | undefined {
  switch (type) {
    case CertificateType.CA:
      return "ca";
    case CertificateType.CERT:
      return "cert";
    case CertificateType.KEY:
      return "key";
    default:
      return undefined;
  }
}

export function certificateToProto(
  certificate: CertificateView,
  uses: Uses = new Map(),
): Init<MessageInitShape<typeof CertificateSchema>> {
  const { details } = certificate;
  return {
    id: certificate.id,
    environmentId: certificate.environmentId,
    name: certificate.name,
    filename: certificate.filename,
    type: types[certificate.fileType] ?? CertificateType.UNSPECIFIED,
    createTime: timestampFromDate(certificate.createdAt),
    updateTime: timestampFromDate(certificate.updatedAt),
    ...(details == null
      ? {}
      : {
          facts: {
            subject: details.subject,
            issuer: details.issuer,
            names: [...details.names],
            startTime: timestampFromDate(new Date(details.notBefore)),
            expireTime: timestampFromDate(new Date(details.notAfter)),
            fingerprint: details.fingerprint,
            certificateCount: details.certificateCount,
          },
        }),
    uses: [...(uses.get(certificate.name) ?? [])],
  };
}

export function missingToProto([name, users]: readonly [
  name: string,
  uses: readonly ReferenceUse[],
]): Init<MessageInitShape<typeof MissingReferenceSchema>> {
  return { name, uses: [...users] };
}
