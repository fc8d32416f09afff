import { defineEntity, p } from "@mikro-orm/core";
import { id, json, moment } from "../db/columns.ts";
import { Pipeline } from "../pipelines/pipeline.entity.ts";
import { EventSampleRequest } from "./event-sample-request.entity.ts";

/** One field of the inferred schema. */
export interface StoredField {
  readonly path: string;
  readonly types: readonly string[];
  readonly eventCount: number;
}

const EventSampleSchema = defineEntity({
  name: "EventSample",
  comment: "Sampled event data and inferred schema for a pipeline component.",
  properties: {
    id: id(),
    requestId: () =>
      p
        .manyToOne(EventSampleRequest)
        .mapToPk()
        .fieldName("requestId")
        .deleteRule("cascade")
        .index("EventSample_requestId_idx"),
    pipelineId: () =>
      p
        .manyToOne(Pipeline)
        .mapToPk()
        .fieldName("pipelineId")
        .deleteRule("cascade")
        .index("EventSample_pipelineId_idx"),
    componentKey: p.text(),
    events: json<unknown[]>(),
    schema: json<StoredField[]>(),
    error: p.text().nullable(),
    sampledAt: moment(),
  },
});

export class EventSample extends EventSampleSchema.class {}
EventSampleSchema.setClass(EventSample);
