import { defineEntity, p } from "@mikro-orm/core";
import { User } from "../auth/user.entity.ts";
import { createdAt, id, json, moment, updatedAt } from "../db/columns.ts";
import { Environment } from "../environments/environment.entity.ts";
import type { References } from "../secrets/references.ts";
import type { SelectorTerm } from "./delivery/selector.ts";

const PipelineSchema = defineEntity({
  name: "Pipeline",
  comment: "A pipeline definition with its graph, deployment state and global config.",
  indexes: [
    { name: "Pipeline_environmentId_idx", properties: ["environmentId"] },
    {
      // Names are unique without case. The migration makes the same index.
      name: "Pipeline_environmentId_lower_name_key",
      expression:
        'create unique index "Pipeline_environmentId_lower_name_key" on "Pipeline" ("environmentId", lower("name"))',
    },
  ],
  properties: {
    id: id(),
    name: p.text(),
    description: p.text().nullable(),
    environmentId: () =>
      p
        .manyToOne(Environment)
        .mapToPk()
        .fieldName("environmentId")
        .deleteRule("cascade")
        .index(false),
    globalConfig: json<Record<string, unknown>>().nullable(),
    isDraft: p.boolean().default(true),
    isSystem: p.boolean().default(false),
    deployedAt: moment().nullable(),
    deployedVersion: p
      .integer()
      .nullable()
      .comment("The version that nodes shall run; null: none."),
    pausedVersion: p
      .integer()
      .nullable()
      .comment("The version that comes back on resume; null: not paused."),
    undeployedVersion: p
      .integer()
      .nullable()
      .comment(
        "The version that ran when it was undeployed; null: it is deployed or paused, or never was.",
      ),
    attempt: p
      .integer()
      .default(0)
      .comment("Goes up with every explicit retry of a failed deploy."),
    testGate: p.boolean().default(false).comment("Only a text whose tests pass may be deployed."),
    testedHash: p
      .text()
      .nullable()
      .comment("The configuration whose tests passed on a host last; null: none."),
    yaml: p.text().default("").comment("The draft as people wrote it."),
    revision: p.integer().default(1).comment("Goes up with every save."),
    nodeSelector: json<readonly SelectorTerm[]>()
      .nullable()
      .comment("Terms over labels that all must hold; null: every node."),
    logLevel: p.text().nullable().comment("Of Vector on the nodes, lower case; null: info."),
    memoryLimitMib: p.integer().default(0).comment("Of each process, in mebibytes; 0: no limit."),
    cpuLimitCores: p.double().default(0).comment("Of each process; 0: no limit."),
    references: json<References>()
      .default("{}")
      .comment("Secrets and certificates that the draft names."),
    deliveredHash: p
      .text()
      .nullable()
      .comment("What nodes shall hold: version, log level, secrets, certificates; null: nothing."),
    deliveryProblem: p.text().nullable().comment("Why deliveredHash is not renewed."),
    createdById: () =>
      p
        .manyToOne(User)
        .mapToPk()
        .fieldName("createdById")
        .deleteRule("set null")
        .nullable()
        .index("Pipeline_createdById_idx"),
    updatedById: () =>
      p
        .manyToOne(User)
        .mapToPk()
        .fieldName("updatedById")
        .deleteRule("set null")
        .nullable()
        .index("Pipeline_updatedById_idx"),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
});

export class Pipeline extends PipelineSchema.class {}
PipelineSchema.setClass(Pipeline);
