import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, json, updatedAt } from "../db/columns.ts";
import { Environment } from "../environments/environment.entity.ts";
import type { CertificateDetails } from "./pem.ts";

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
    contentDigest: p.text().default("").comment("Keyed: tells a changed file, and nothing of it."),
    details: json<CertificateDetails>()
      .nullable()
      .comment("Public facts of the first certificate; null for a key."),
    environmentId: () =>
      p.manyToOne(Environment).mapToPk().fieldName("environmentId").deleteRule("cascade"),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
});

export class Certificate extends CertificateSchema.class {}
CertificateSchema.setClass(Certificate);
