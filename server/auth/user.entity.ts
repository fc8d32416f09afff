import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, moment, updatedAt } from "../db/columns.ts";
import { AuthMethod } from "../db/enums.ts";

const UserSchema = defineEntity({
  name: "User",
  comment: "User accounts with credentials, TOTP secrets and the super admin flag.",
  properties: {
    id: id(),
    email: p.text().unique("User_email_key").comment("In lower case."),
    name: p.text().nullable(),
    passwordHash: p.text().nullable().hidden().comment("bcrypt of a SHA-256 pre-hash."),
    authMethod: p
      .enum(() => AuthMethod)
      .nativeEnumName("AuthMethod")
      .default("LOCAL"),
    oidcLinkAllowed: p
      .boolean()
      .default(false)
      .comment(
        "An admin allows the provider's account with the same e-mail to be linked at its next sign-in.",
      ),
    isSuperAdmin: p.boolean().default(false),
    mustChangePassword: p.boolean().default(false),
    totpSecret: p.text().nullable().hidden().comment("Encrypted."),
    totpBackupCodes: p.text().nullable().hidden().comment("Encrypted."),
    totpEnabled: p.boolean().default(false),
    totpLastStep: p
      .bigint("number")
      .nullable()
      .comment("The step of 30 seconds whose code was used last. No code up to it works again."),
    failedSignIns: p.integer().default(0),
    lockedUntil: moment().nullable().comment("After too many failures."),
    lockedAt: moment().nullable().comment("By an admin; permanent until undone."),
    lastSignInAt: moment().nullable(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
});

export class User extends UserSchema.class {}
UserSchema.setClass(User);
