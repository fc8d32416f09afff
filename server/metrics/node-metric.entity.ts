import { defineEntity, p } from "@mikro-orm/core";
import { json, moment } from "../db/columns.ts";

/** Partitioned by day in the migration; see db/partitions.ts and pipeline-metric.entity.ts. */
const NodeMetricSchema = defineEntity({
  name: "NodeMetric",
  comment: "Time series of host system metrics.",
  indexes: [{ name: "NodeMetric_nodeId_timestamp_idx", properties: ["nodeId", "timestamp"] }],
  properties: {
    id: p.text().primary(),
    timestamp: moment().primary(),
    nodeId: p.text(),
    intervalMs: p.integer(),
    cpuRatio: p
      .double()
      .nullable()
      .comment("Busy share of all cores; waiting for I/O is not busy."),
    coreRatios: json<number[]>().nullable(),
    load1: p.double().nullable(),
    load5: p.double().nullable(),
    load15: p.double().nullable(),
    memoryTotalBytes: p.double().nullable(),
    memoryUsedBytes: p.double().nullable().comment("Total minus available."),
    diskTotalBytes: p.double().nullable(),
    diskUsedBytes: p.double().nullable(),
    filesystems: json<unknown[]>().nullable(),
    receivedBytes: p.double().nullable().comment("Over the interval, all physical interfaces."),
    sentBytes: p.double().nullable(),
  },
});

export class NodeMetric extends NodeMetricSchema.class {}
NodeMetricSchema.setClass(NodeMetric);
