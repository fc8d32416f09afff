import { defineEntity, p } from "@mikro-orm/core";
import { id, json } from "../db/columns.ts";
import { ComponentKind } from "../db/enums.ts";
import { Pipeline } from "./pipeline.entity.ts";

const PipelineNodeSchema = defineEntity({
  name: "PipelineNode",
  comment: "A single component (source, transform or sink) within a pipeline graph.",
  uniques: [
    {
      name: "PipelineNode_pipelineId_componentKey_key",
      properties: ["pipelineId", "componentKey"],
    },
  ],
  properties: {
    id: id(),
    pipelineId: () => p.manyToOne(Pipeline).mapToPk().fieldName("pipelineId").deleteRule("cascade"),
    componentKey: p.text(),
    kind: p.enum(() => ComponentKind).nativeEnumName("ComponentKind"),
    componentType: p.text(),
    config: json<Record<string, unknown>>().comment("Parsed options."),
    yaml: p.text().comment("The body as a person wrote it."),
    positionX: p.double().default(0),
    positionY: p.double().default(0),
    ordinal: p.integer().default(0).comment("Place among the components of its kind."),
  },
});

export class PipelineNode extends PipelineNodeSchema.class {}
PipelineNodeSchema.setClass(PipelineNode);
