import { defineEntity, p } from "@mikro-orm/core";
import { id } from "../db/columns.ts";
import { PipelineNode } from "./pipeline-node.entity.ts";
import { Pipeline } from "./pipeline.entity.ts";

const PipelineEdgeSchema = defineEntity({
  name: "PipelineEdge",
  comment: "A connection between two pipeline nodes.",
  properties: {
    id: id(),
    pipelineId: () =>
      p
        .manyToOne(Pipeline)
        .mapToPk()
        .fieldName("pipelineId")
        .deleteRule("cascade")
        .index("PipelineEdge_pipelineId_idx"),
    sourceNodeId: () =>
      p
        .manyToOne(PipelineNode)
        .mapToPk()
        .fieldName("sourceNodeId")
        .deleteRule("cascade")
        .index("PipelineEdge_sourceNodeId_idx"),
    targetNodeId: () =>
      p
        .manyToOne(PipelineNode)
        .mapToPk()
        .fieldName("targetNodeId")
        .deleteRule("cascade")
        .index("PipelineEdge_targetNodeId_idx"),
    sourcePort: p.text().nullable().comment("Named output; null is the default output."),
  },
});

export class PipelineEdge extends PipelineEdgeSchema.class {}
PipelineEdgeSchema.setClass(PipelineEdge);
