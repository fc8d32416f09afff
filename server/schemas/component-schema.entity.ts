import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, moment } from "../db/columns.ts";

const ComponentSchemaSchema = defineEntity({
  name: "ComponentSchema",
  comment:
    "Schema that a version of Vector generated for its components, sent by a host that runs it.",
  properties: {
    id: id(),
    vectorVersion: p.text().unique("ComponentSchema_vectorVersion_key"),
    schemaGzip: p.blob().nullable().lazy().comment("JSON, compressed with gzip."),
    sizeBytes: p.integer().default(0).comment("Of the JSON."),
    error: p.text().nullable().comment("Why that version has none."),
    requestedAt: moment().comment("When a host was last asked for it."),
    storedAt: moment().nullable(),
    createdAt: createdAt(),
  },
});

export class ComponentSchema extends ComponentSchemaSchema.class {}
ComponentSchemaSchema.setClass(ComponentSchema);
