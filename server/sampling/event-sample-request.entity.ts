import { defineEntity, p } from "@mikro-orm/core";
import { User } from "../auth/user.entity.ts";
import { createdAt, id, json, moment } from "../db/columns.ts";
import { VectorNode } from "../fleet/vector-node.entity.ts";
import { Pipeline } from "../pipelines/pipeline.entity.ts";

const EventSampleRequestSchema = defineEntity({
  name: "EventSampleRequest",
  comment: "Request to sample live events from a running pipeline.",
  properties: {
    id: id(),
    pipelineId: () =>
      p
        .manyToOne(Pipeline)
        .mapToPk()
        .fieldName("pipelineId")
        .deleteRule("cascade")
        .index("EventSampleRequest_pipelineId_idx"),
    nodeId: () =>
      p
        .manyToOne(VectorNode)
        .mapToPk()
        .fieldName("nodeId")
        .deleteRule("set null")
        .nullable()
        .index("EventSampleRequest_nodeId_idx"),
    componentKeys: json<string[]>(),
    limit: p.integer().default(5),
    timeLimitMs: p.integer().default(10_000),
    status: p.text().default("PENDING").comment("PENDING, COMPLETED, ERROR or EXPIRED."),
    error: p.text().nullable(),
    requestedById: () =>
      p
        .manyToOne(User)
        .mapToPk()
        .fieldName("requestedById")
        .deleteRule("set null")
        .nullable()
        .index("EventSampleRequest_requestedById_idx"),
    createdAt: createdAt(),
    completedAt: moment().nullable(),
    expiresAt: moment(),
  },
});

export class EventSampleRequest extends EventSampleRequestSchema.class {}
EventSampleRequestSchema.setClass(EventSampleRequest);
