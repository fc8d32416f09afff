import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, json, moment } from "../db/columns.ts";
import { ProcessStatus } from "../db/enums.ts";
import { Pipeline } from "../pipelines/pipeline.entity.ts";
import { VectorNode } from "./vector-node.entity.ts";

/** A problem in a refused configuration, as the agent mapped it. */
export interface ReportedProblem {
  readonly componentKey: string;
  readonly field: string;
  readonly message: string;
}

const NodePipelineStatusSchema = defineEntity({
  name: "NodePipelineStatus",
  comment: "Per-node runtime status of a pipeline: attempted, applied and why, as separate facts.",
  uniques: [
    { name: "NodePipelineStatus_nodeId_pipelineId_key", properties: ["nodeId", "pipelineId"] },
  ],
  properties: {
    id: id(),
    nodeId: () => p.manyToOne(VectorNode).mapToPk().fieldName("nodeId").deleteRule("cascade"),
    pipelineId: () =>
      p
        .manyToOne(Pipeline)
        .mapToPk()
        .fieldName("pipelineId")
        .deleteRule("cascade")
        .index("NodePipelineStatus_pipelineId_idx"),
    status: p
      .enum(() => ProcessStatus)
      .nativeEnumName("ProcessStatus")
      .default("PENDING"),
    condition: p.text().nullable().comment("HELD or NOT_DELIVERING, beside a status of RUNNING."),
    phase: p.text().default("WAITING").comment("Where the newest attempt stands."),
    version: p.integer().nullable().comment("The version that the running process has."),
    effectiveHash: p.text().nullable(),
    attemptedVersion: p.integer().nullable(),
    attemptedHash: p.text().nullable(),
    attempt: p.integer().default(0),
    reason: p.text().nullable(),
    problems: json<ReportedProblem[]>().nullable(),
    logTail: json<string[]>().nullable(),
    pid: p.integer().nullable(),
    restarts: p.integer().default(0),
    uptimeSeconds: p.double().nullable(),
    eventsInRate: p
      .double()
      .nullable()
      .comment("Per second over the newest interval; null: not measured."),
    eventsOutRate: p.double().nullable(),
    bytesInRate: p.double().nullable(),
    bytesOutRate: p.double().nullable(),
    errorRate: p.double().nullable(),
    discardRate: p.double().nullable(),
    ratesAt: moment().nullable(),
    gapMs: p.integer().default(0),
    nextStartAt: moment().nullable(),
    notice: p.text().nullable().comment("What a person should know although it runs as wanted."),
    vectorVersion: p.text().nullable().comment("Of the running process."),
    receivedAt: moment().nullable(),
    validatedAt: moment().nullable(),
    appliedAt: moment().nullable(),
    finishedAt: moment().nullable(),
    lastUpdated: moment().defaultRaw("now()"),
    createdAt: createdAt(),
  },
});

export class NodePipelineStatus extends NodePipelineStatusSchema.class {}
NodePipelineStatusSchema.setClass(NodePipelineStatus);
