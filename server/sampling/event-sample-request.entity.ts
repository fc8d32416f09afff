import { defineEntity, p } from "@mikro-orm/core";
import { User } from "../auth/user.entity.ts";
import { createdAt, id, json, moment } from "../db/columns.ts";
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
    componentKeys: json<string[]>(),
    limit: p.integer().default(5),
    status: p.text().default("PENDING"),
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
