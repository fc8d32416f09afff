import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, updatedAt } from "../db/columns.ts";

const TeamSchema = defineEntity({
  name: "Team",
  comment: "Organizational unit that groups environments, templates and members.",
  properties: {
    id: id(),
    name: p.text(),
    requireSecondFactor: p.boolean().default(false),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
});

export class Team extends TeamSchema.class {}
TeamSchema.setClass(Team);
