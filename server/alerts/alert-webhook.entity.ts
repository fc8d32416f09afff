import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, json, updatedAt } from "../db/columns.ts";
import { Environment } from "../environments/environment.entity.ts";

const AlertWebhookSchema = defineEntity({
  name: "AlertWebhook",
  comment: "Webhook destination for alert notifications.",
  properties: {
    id: id(),
    environmentId: () =>
      p
        .manyToOne(Environment)
        .mapToPk()
        .fieldName("environmentId")
        .deleteRule("cascade")
        .index("AlertWebhook_environmentId_idx"),
    url: p.text(),
    headers: json<Record<string, string>>().nullable(),
    hmacSecret: p.text().nullable().hidden().comment("Encrypted."),
    enabled: p.boolean().default(true),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
});

export class AlertWebhook extends AlertWebhookSchema.class {}
AlertWebhookSchema.setClass(AlertWebhook);
