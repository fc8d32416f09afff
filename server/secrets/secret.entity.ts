import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, updatedAt } from "../db/columns.ts";
import { Environment } from "../environments/environment.entity.ts";

const SecretSchema = defineEntity({
  name: "Secret",
  comment: "Encrypted secret values scoped to an environment.",
  uniques: [{ name: "Secret_environmentId_name_key", properties: ["environmentId", "name"] }],
  properties: {
    id: id(),
    name: p.text(),
    encryptedValue: p.text().hidden().comment("AES-256-GCM."),
    valueDigest: p.text().default("").comment("Keyed: tells a changed value, and nothing of it."),
    environmentId: () =>
      p.manyToOne(Environment).mapToPk().fieldName("environmentId").deleteRule("cascade"),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
});

export class Secret extends SecretSchema.class {}
SecretSchema.setClass(Secret);
