import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id } from "../db/columns.ts";
import { Environment } from "../environments/environment.entity.ts";

const CertificateSchema = defineEntity({
  name: "Certificate",
  comment: "Encrypted TLS certificate files scoped to an environment.",
  uniques: [{ name: "Certificate_environmentId_name_key", properties: ["environmentId", "name"] }],
  properties: {
    id: id(),
    name: p.text(),
    filename: p.text(),
    fileType: p.text().comment("ca, cert or key."),
    encryptedData: p.text().hidden().comment("AES-256-GCM of the PEM."),
    environmentId: () =>
      p.manyToOne(Environment).mapToPk().fieldName("environmentId").deleteRule("cascade"),
    createdAt: createdAt(),
  },
});

export class Certificate extends CertificateSchema.class {}
CertificateSchema.setClass(Certificate);
