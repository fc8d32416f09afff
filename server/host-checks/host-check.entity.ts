import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, json, moment } from "../db/columns.ts";
import type { References } from "../secrets/references.ts";
import { VectorNode } from "../fleet/vector-node.entity.ts";
import { Pipeline } from "../pipelines/pipeline.entity.ts";

const HostCheckSchema = defineEntity({
  name: "HostCheck",
  comment:
    "A configuration that hosts are asked about and that is not deployed; it is deleted when nobody waits for it any more.",
  properties: {
    id: id(),
    pipelineId: () =>
      p
        .manyToOne(Pipeline)
        .mapToPk()
        .fieldName("pipelineId")
        .deleteRule("cascade")
        .index("HostCheck_pipelineId_idx"),
    nodeId: () =>
      p
        .manyToOne(VectorNode)
        .mapToPk()
        .fieldName("nodeId")
        .deleteRule("cascade")
        .nullable()
        .index("HostCheck_nodeId_idx")
        .comment("The only host that is asked; null: all of the pipeline."),
    runTests: p.boolean().default(false).comment("Its unit tests are run instead."),
    configYaml: p.text(),
    references: json<References>().default("{}").comment("Secrets and certificates that it names."),
    createdAt: createdAt(),
    expiresAt: moment(),
  },
});

export class HostCheck extends HostCheckSchema.class {}
HostCheckSchema.setClass(HostCheck);
