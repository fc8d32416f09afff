import { defineEntity, p } from "@mikro-orm/core";
import { ComponentKind } from "../db/enums.ts";
import { moment } from "../db/columns.ts";

/**
 * Partitioned by day in the migration; see db/partitions.ts. Keys of nodes and pipelines carry no
 * constraint, because one late row of a deleted pipeline must not cost a whole batch; a trigger takes
 * the rows along when a node or pipeline is deleted.
 */
const PipelineMetricSchema = defineEntity({
  name: "PipelineMetric",
  comment:
    "Time series of pipeline throughput: counter deltas of each component over each interval.",
  indexes: [
    { name: "PipelineMetric_pipelineId_timestamp_idx", properties: ["pipelineId", "timestamp"] },
    { name: "PipelineMetric_timestamp_idx", properties: ["timestamp"] },
    { name: "PipelineMetric_nodeId_idx", properties: ["nodeId"] },
  ],
  properties: {
    id: p.text().primary(),
    timestamp: moment().primary().comment("End of the interval, by the server's clock."),
    pipelineId: p.text(),
    nodeId: p.text(),
    componentKey: p.text(),
    componentKind: p.enum(() => ComponentKind).nativeEnumName("ComponentKind"),
    intervalMs: p.integer(),
    eventsIn: p.double(),
    eventsOut: p.double(),
    bytesIn: p.double(),
    bytesOut: p.double(),
    errorsTotal: p.double(),
    eventsDiscarded: p.double().comment("Lost, not counting intentional drops."),
    eventsDropped: p.double().comment("Dropped because the configuration says so."),
    utilization: p.double().nullable(),
  },
});

export class PipelineMetric extends PipelineMetricSchema.class {}
PipelineMetricSchema.setClass(PipelineMetric);
