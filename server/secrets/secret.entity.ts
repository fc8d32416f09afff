import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, json, moment, updatedAt } from "../db/columns.ts";
import { Environment } from "../environments/environment.entity.ts";
import type { FailureKind, SecretReference } from "./backends/backend.ts";

const SecretSchema = defineEntity({
  name: "Secret",
  comment: "Encrypted secret values scoped to an environment.",
  uniques: [{ name: "Secret_environmentId_name_key", properties: ["environmentId", "name"] }],
  properties: {
    id: id(),
    name: p.text(),
    encryptedValue: p.text().hidden().comment("AES-256-GCM."),
    valueDigest: p.text().default("").comment("Keyed: tells a changed value, and nothing of it."),
    reference: json<SecretReference>()
      .nullable()
      .comment(
        "Path, key and version in the backend of the environment; null: the value is kept here.",
      ),
    readAt: moment()
      .nullable()
      .comment(
        "When the backend last gave the value; null with a reference: never, and encryptedValue is empty.",
      ),
    readFailure: p
      .text()
      .$type<FailureKind>()
      .nullable()
      .comment("Why the last try to read it failed."),
    environmentId: () =>
      p.manyToOne(Environment).mapToPk().fieldName("environmentId").deleteRule("cascade"),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
});

export class Secret extends SecretSchema.class {}
SecretSchema.setClass(Secret);
