import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, moment } from "../db/columns.ts";
import { Role } from "../db/enums.ts";
import { Team } from "../teams/team.entity.ts";
import { User } from "./user.entity.ts";

const ApiTokenSchema = defineEntity({
  name: "ApiToken",
  comment: "Tokens by which programs call the API. The token itself is stored only as its SHA-256.",
  properties: {
    id: id(),
    name: p.text(),
    teamId: () =>
      p
        .manyToOne(Team)
        .mapToPk()
        .fieldName("teamId")
        .deleteRule("cascade")
        .index("ApiToken_teamId_idx"),
    userId: () =>
      p
        .manyToOne(User)
        .mapToPk()
        .fieldName("userId")
        .deleteRule("cascade")
        .index("ApiToken_userId_idx")
        .comment("Who made it. The token never may more than this person may now."),
    role: p.enum(() => Role).nativeEnumName("Role"),
    tokenHash: p.text().unique("ApiToken_tokenHash_key").hidden(),
    hint: p.text(),
    expiresAt: moment().nullable(),
    lastUsedAt: moment().nullable(),
    createdAt: createdAt(),
  },
});

export class ApiToken extends ApiTokenSchema.class {}
ApiTokenSchema.setClass(ApiToken);
