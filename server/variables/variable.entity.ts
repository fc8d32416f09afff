import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, updatedAt } from "../db/columns.ts";
import { Environment } from "../environments/environment.entity.ts";

const VariableSchema = defineEntity({
  name: "Variable",
  comment: "Values of an environment that pipelines refer to as VAR[name].",
  uniques: [{ name: "Variable_environmentId_name_key", properties: ["environmentId", "name"] }],
  properties: {
    id: id(),
    name: p.text(),
    value: p.text(),
    description: p.text().nullable(),
    environmentId: () =>
      p.manyToOne(Environment).mapToPk().fieldName("environmentId").deleteRule("cascade"),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
});

export class Variable extends VariableSchema.class {}
VariableSchema.setClass(Variable);
