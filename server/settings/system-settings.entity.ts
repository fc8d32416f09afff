import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, moment, updatedAt } from "../db/columns.ts";

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
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
});

export class SystemSettings extends SystemSettingsSchema.class {}
SystemSettingsSchema.setClass(SystemSettings);
