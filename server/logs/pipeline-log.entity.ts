import { defineEntity, p } from "@mikro-orm/core";
import { moment } from "../db/columns.ts";
import { LogLevel } from "../db/enums.ts";

/** Partitioned by day in the migration; see db/partitions.ts and pipeline-metric.entity.ts. */
const PipelineLogSchema = defineEntity({
  name: "PipelineLog",
  comment: "Log lines from pipeline processes, forwarded by agents.",
  indexes: [
    { name: "PipelineLog_pipelineId_timestamp_idx", properties: ["pipelineId", "timestamp"] },
    { name: "PipelineLog_nodeId_timestamp_idx", properties: ["nodeId", "timestamp"] },
  ],
  properties: {
    id: p.text().primary().comment("Orders lines of one moment: spool, batch and place in it."),
    timestamp: moment().primary(),
    nodeId: p.text(),
    pipelineId: p.text(),
    level: p.enum(() => LogLevel).nativeEnumName("LogLevel"),
    componentKey: p.text().nullable(),
    message: p.text(),
  },
});

export class PipelineLog extends PipelineLogSchema.class {}
PipelineLogSchema.setClass(PipelineLog);
