import { EntityCaseNamingStrategy, MikroORM } from "@mikro-orm/postgresql";
import { entities } from "../server/db/entities.ts";

const introduction = `# Database

Generated from the entities by \`npm run generate\`; migrations make the tables. Names are exactly as in the
database: quote them in SQL, as in \`select "lastHeartbeat" from "VectorNode"\`. Ids are CUIDs unless a column says
otherwise. PipelineMetric, NodeMetric and PipelineLog are partitioned by day (UTC) on \`timestamp\`; a trigger
removes their rows with the node or pipeline they belong to. AuditLog only grows: a trigger refuses updates and
deletes. Integrations may read everything and should write nothing.
`;

/** docs/database.md: every table with its columns, keys and indexes. */
export function renderDatabaseDocs(): string {
  const orm = new MikroORM({
    entities,
    namingStrategy: EntityCaseNamingStrategy,
    dbName: "docs",
    connect: false,
  } as never);
  const tables = entities.map((entity) => orm.getMetadata().get(entity.name as never));
  const enums = new Map<string, readonly string[]>();
  let text = introduction;
  for (const table of tables) {
    text += `\n## ${table.tableName}\n\n${table.comment ?? ""}\n\n`;
    text += "| column | type | null | default | notes |\n| --- | --- | --- | --- | --- |\n";
    for (const property of table.props) {
      const type = property.nativeEnumName ?? property.columnTypes?.[0] ?? "";
      if (property.nativeEnumName !== undefined) {
        enums.set(property.nativeEnumName, (property.items ?? []).map(String));
      }
      const target = property.targetMeta?.tableName;
      const rule = property.deleteRule;
      const reference =
        target === undefined
          ? ""
          : !property.createForeignKeyConstraint
            ? `id of ${target}, without a constraint`
            : `→ ${target}${rule === undefined ? "" : `, on delete ${rule}`}`;
      const notes = [
        property.primary === true ? "primary key" : "",
        reference,
        property.comment ?? "",
      ];
      const fallback = property.defaultRaw === undefined ? "" : `\`${property.defaultRaw}\``;
      const name = property.fieldNames?.[0] ?? property.name;
      text += `| ${name} | ${type} | ${property.nullable === true ? "yes" : ""} | ${fallback} | ${notes.filter((note) => note !== "").join("; ")} |\n`;
    }
    const lists = [
      ...table.uniques.map((unique) => ({ ...unique, kind: "unique" })),
      ...table.indexes.map((index) => ({ ...index, kind: "index" })),
      ...table.props.flatMap((property) => [
        ...(typeof property.unique === "string"
          ? [{ name: property.unique, properties: [property.name], kind: "unique" }]
          : []),
        ...(typeof property.index === "string"
          ? [{ name: property.index, properties: [property.name], kind: "index" }]
          : []),
      ]),
    ];
    for (const { name, properties, kind } of lists) {
      const columns = [properties ?? []].flat().map(String).join(", ");
      text += `\n- ${kind} \`${String(name)}\`${columns === "" ? "" : ` (${columns})`}`;
    }
    if (lists.length > 0) text += "\n";
  }
  text += "\n## Enums\n\n| enum | values |\n| --- | --- |\n";
  for (const [name, values] of [...enums].toSorted(([a], [b]) => a.localeCompare(b))) {
    text += `| ${name} | ${values.join(", ")} |\n`;
  }
  return text;
}
