import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, json, moment, updatedAt } from "../db/columns.ts";
import { Role } from "../db/enums.ts";

/** The migration inserts the one row. */
const SystemSettingsSchema = defineEntity({
  name: "SystemSettings",
  comment: "Singleton row for global server configuration.",
  properties: {
    id: p.text().primary().comment("Always singleton."),
    installationId: p.text().comment("Names this installation to its agents."),
    setupTokenHash: p.text().nullable().hidden(),
    setupCompletedAt: moment().nullable(),
    metricsRetentionDays: p.integer().default(7),
    logsRetentionDays: p.integer().default(3),
    oidcEnabled: p.boolean().default(false),
    oidcDisplayName: p.text().nullable(),
    oidcIssuer: p.text().nullable(),
    oidcClientId: p.text().nullable(),
    oidcClientSecret: p.text().nullable().hidden().comment("Encrypted."),
    oidcGroupsClaim: p.text().default("groups"),
    oidcGroupMappings: json<{ group: string; teamId: string; role: Role }[]>().nullable(),
    oidcDefaultTeamId: p.text().nullable(),
    oidcDefaultRole: p
      .enum(() => Role)
      .nativeEnumName("Role")
      .default("VIEWER"),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
});

export class SystemSettings extends SystemSettingsSchema.class {}
SystemSettingsSchema.setClass(SystemSettings);
