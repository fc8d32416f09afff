import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, json } from "../db/columns.ts";

/**
 * Append-only: a trigger refuses update and delete, another chains the rows. Keys of people, teams and environments carry no
 * constraint, so that rows outlive what they speak of.
 */
const AuditLogSchema = defineEntity({
  name: "AuditLog",
  comment: "Immutable record of every significant action.",
  indexes: [
    { name: "AuditLog_entityType_entityId_idx", properties: ["entityType", "entityId"] },
    { name: "AuditLog_userId_idx", properties: ["userId"] },
    { name: "AuditLog_createdAt_idx", properties: ["createdAt"] },
    { name: "AuditLog_teamId_idx", properties: ["teamId"] },
  ],
  properties: {
    id: id(),
    userId: p.text().nullable(),
    action: p.text(),
    entityType: p.text(),
    entityId: p.text(),
    diff: json<Record<string, unknown>>().nullable(),
    metadata: json<Record<string, unknown>>().nullable(),
    ipAddress: p.text().nullable(),
    userEmail: p.text().nullable(),
    userName: p.text().nullable(),
    teamId: p.text().nullable(),
    environmentId: p.text().nullable(),
    createdAt: createdAt(),
    sequence: p
      .bigint("number")
      .nullable()
      .unique("AuditLog_sequence_key")
      .comment("Place in the chain; given by a trigger when the transaction commits."),
    previousHash: p.text().nullable().comment("The hash of the row before it."),
    hash: p.text().nullable().comment("SHA-256 over the row and the hash of the row before it."),
  },
});

export class AuditLog extends AuditLogSchema.class {}
AuditLogSchema.setClass(AuditLog);
