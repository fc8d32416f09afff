import { defineEntity, p } from "@mikro-orm/core";
import { id, moment } from "../db/columns.ts";
import { AlertStatus } from "../db/enums.ts";
import { VectorNode } from "../fleet/vector-node.entity.ts";
import { AlertRule } from "./alert-rule.entity.ts";

/** Events outlive their rule and their node. */
const AlertEventSchema = defineEntity({
  name: "AlertEvent",
  comment: "Record of a fired or resolved alert.",
  properties: {
    id: id(),
    alertRuleId: () =>
      p
        .manyToOne(AlertRule)
        .mapToPk()
        .fieldName("alertRuleId")
        .deleteRule("set null")
        .nullable()
        .index("AlertEvent_alertRuleId_idx"),
    nodeId: () =>
      p
        .manyToOne(VectorNode)
        .mapToPk()
        .fieldName("nodeId")
        .deleteRule("set null")
        .nullable()
        .index("AlertEvent_nodeId_idx"),
    status: p.enum(() => AlertStatus).nativeEnumName("AlertStatus"),
    value: p.double().nullable(),
    message: p.text().nullable(),
    firedAt: moment().index("AlertEvent_firedAt_idx"),
    resolvedAt: moment().nullable(),
    notifiedAt: moment().nullable(),
  },
});

export class AlertEvent extends AlertEventSchema.class {}
AlertEventSchema.setClass(AlertEvent);
