import { defineEntity, p } from "@mikro-orm/core";
import { User } from "../auth/user.entity.ts";
import { createdAt, id, updatedAt } from "../db/columns.ts";
import { Team } from "../teams/team.entity.ts";

const VrlSnippetSchema = defineEntity({
  name: "VrlSnippet",
  comment: "Custom VRL code snippet in the team library.",
  uniques: [{ name: "VrlSnippet_teamId_name_key", properties: ["teamId", "name"] }],
  properties: {
    id: id(),
    teamId: () => p.manyToOne(Team).mapToPk().fieldName("teamId").deleteRule("cascade"),
    name: p.text(),
    description: p.text().nullable(),
    category: p.text().nullable(),
    code: p.text(),
    condition: p.boolean().default(false).comment("It gives true or false and changes nothing."),
    createdById: () =>
      p
        .manyToOne(User)
        .mapToPk()
        .fieldName("createdById")
        .deleteRule("set null")
        .nullable()
        .index("VrlSnippet_createdById_idx"),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
});

export class VrlSnippet extends VrlSnippetSchema.class {}
VrlSnippetSchema.setClass(VrlSnippet);
