import { defineEntity, p } from "@mikro-orm/core";
import { User } from "../auth/user.entity.ts";
import { createdAt, id, json } from "../db/columns.ts";
import type { References } from "../secrets/references.ts";
import type { EdgeSnapshot, NodeSnapshot } from "./graph-snapshot.ts";
import { Pipeline } from "./pipeline.entity.ts";

const PipelineVersionSchema = defineEntity({
  name: "PipelineVersion",
  comment: "Immutable snapshot of a pipeline's generated config at deploy time.",
  uniques: [
    { name: "PipelineVersion_pipelineId_version_key", properties: ["pipelineId", "version"] },
  ],
  properties: {
    id: id(),
    pipelineId: () => p.manyToOne(Pipeline).mapToPk().fieldName("pipelineId").deleteRule("cascade"),
    version: p.integer(),
    configYaml: p.text(),
    configToml: p.text().nullable(),
    contentHash: p.text().comment("SHA-256 of configYaml."),
    sourceYaml: p.text().comment("The draft that was deployed, as people wrote it."),
    logLevel: p.text().nullable(),
    references: json<References>().default("{}").comment("Secrets and certificates that it names."),
    variables: json<Readonly<Record<string, string>>>()
      .default("{}")
      .comment("Variables that it was made with, by name."),
    globalConfig: json<Record<string, unknown>>().nullable(),
    nodesSnapshot: json<readonly NodeSnapshot[]>()
      .nullable()
      .comment("Its components with their places; null: it is older than snapshots."),
    edgesSnapshot: json<readonly EdgeSnapshot[]>()
      .nullable()
      .comment("Its connections, by component keys."),
    // A version outlives the person who made it, so the key of a deleted person stays as it was.
    createdById: () =>
      p
        .manyToOne(User)
        .mapToPk()
        .fieldName("createdById")
        .createForeignKeyConstraint(false)
        .index("PipelineVersion_createdById_idx"),
    changelog: p.text().nullable(),
    createdAt: createdAt(),
  },
});

export class PipelineVersion extends PipelineVersionSchema.class {}
PipelineVersionSchema.setClass(PipelineVersion);
