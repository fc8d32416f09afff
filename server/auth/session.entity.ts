import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, moment } from "../db/columns.ts";
import { AuthMethod } from "../db/enums.ts";
import { User } from "./user.entity.ts";

const SessionSchema = defineEntity({
  name: "Session",
  comment: "Signed-in sessions. The token itself is stored only as its SHA-256.",
  properties: {
    id: id(),
    userId: () =>
      p
        .manyToOne(User)
        .mapToPk()
        .fieldName("userId")
        .deleteRule("cascade")
        .index("Session_userId_idx"),
    tokenHash: p.text().unique("Session_tokenHash_key").hidden(),
    ipAddress: p.text().nullable(),
    userAgent: p.text().nullable(),
    lastUsedAt: moment(),
    expiresAt: moment().index("Session_expiresAt_idx").comment("Moves on with use: 24 hours idle."),
    authMethod: p
      .enum(() => AuthMethod)
      .nativeEnumName("AuthMethod")
      .default("LOCAL"),
    createdAt: createdAt(),
  },
});

export class Session extends SessionSchema.class {}
SessionSchema.setClass(Session);
