import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, json, updatedAt } from "../db/columns.ts";
import { Team } from "../teams/team.entity.ts";

const TemplateSchema = defineEntity({
  name: "Template",
  comment: "Reusable pipeline template stored as JSON nodes and edges.",
  properties: {
    id: id(),
    teamId: () =>
      p
        .manyToOne(Team)
        .mapToPk()
        .fieldName("teamId")
        .deleteRule("cascade")
        .nullable()
        .index("Template_teamId_idx"),
    name: p.text(),
    description: p.text().nullable(),
    category: p.text().nullable(),
    nodes: json<unknown[]>(),
    edges: json<unknown[]>(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
});

export class Template extends TemplateSchema.class {}
TemplateSchema.setClass(Template);
