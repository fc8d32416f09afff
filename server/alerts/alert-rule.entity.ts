import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, updatedAt } from "../db/columns.ts";
import { AlertCondition, AlertMetric } from "../db/enums.ts";
import { Environment } from "../environments/environment.entity.ts";
import { Pipeline } from "../pipelines/pipeline.entity.ts";
import { Team } from "../teams/team.entity.ts";

const AlertRuleSchema = defineEntity({
  name: "AlertRule",
  comment: "Alert condition definition (metric, threshold, duration).",
  properties: {
    id: id(),
    name: p.text(),
    enabled: p.boolean().default(true),
    teamId: () =>
      p
        .manyToOne(Team)
        .mapToPk()
        .fieldName("teamId")
        .deleteRule("cascade")
        .index("AlertRule_teamId_idx"),
    environmentId: () =>
      p
        .manyToOne(Environment)
        .mapToPk()
        .fieldName("environmentId")
        .deleteRule("cascade")
        .index("AlertRule_environmentId_idx"),
    pipelineId: () =>
      p
        .manyToOne(Pipeline)
        .mapToPk()
        .fieldName("pipelineId")
        .deleteRule("cascade")
        .nullable()
        .index("AlertRule_pipelineId_idx"),
    metric: p.enum(() => AlertMetric).nativeEnumName("AlertMetric"),
    condition: p.enum(() => AlertCondition).nativeEnumName("AlertCondition"),
    threshold: p.double(),
    durationSeconds: p.integer().default(60),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
});

export class AlertRule extends AlertRuleSchema.class {}
AlertRuleSchema.setClass(AlertRule);
