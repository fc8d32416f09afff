import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, json, updatedAt } from "../db/columns.ts";
import { Team } from "../teams/team.entity.ts";

/** What whoever uses a template fills in. It stands in the text as `PARAM[name]`. */
export interface TemplateParameter {
  readonly name: string;
  readonly description: string;
  /** Of a secret the value is its name; the text gets a reference to it. */
  readonly type: "text" | "number" | "boolean" | "secret";
  readonly default: string;
  readonly required: boolean;
}

const TemplateSchema = defineEntity({
  name: "Template",
  comment: "Reusable pipeline template stored as JSON nodes and edges.",
  indexes: [
    {
      // Names are unique without case. The migration makes the same index.
      name: "Template_teamId_name_key",
      expression:
        'create unique index "Template_teamId_name_key" on "Template" ("teamId", lower("name"))',
    },
  ],
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
    yaml: p.text().default("").comment("The text that nodes and edges were made from."),
    parameters: json<readonly TemplateParameter[]>()
      .default("[]")
      .comment("What is filled in for PARAM[name]."),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
});

export class Template extends TemplateSchema.class {}
TemplateSchema.setClass(Template);
