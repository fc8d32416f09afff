import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, moment } from "../db/columns.ts";
import { User } from "./user.entity.ts";

const AccountSchema = defineEntity({
  name: "Account",
  comment: "OAuth/OIDC provider accounts linked to users.",
  uniques: [
    {
      name: "Account_provider_providerAccountId_key",
      properties: ["provider", "providerAccountId"],
    },
  ],
  properties: {
    id: id(),
    userId: () =>
      p
        .manyToOne(User)
        .mapToPk()
        .fieldName("userId")
        .deleteRule("cascade")
        .index("Account_userId_idx"),
    provider: p.text(),
    providerAccountId: p.text(),
    accessToken: p.text().nullable().hidden().comment("Encrypted."),
    refreshToken: p.text().nullable().hidden().comment("Encrypted."),
    idToken: p.text().nullable().hidden().comment("Encrypted."),
    expiresAt: moment().nullable(),
    createdAt: createdAt(),
  },
});

export class Account extends AccountSchema.class {}
AccountSchema.setClass(Account);
