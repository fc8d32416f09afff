import { Migration } from "@mikro-orm/migrations";

/** Samples know their host; environments have redaction rules; schemas of Vector's versions are kept. */
export class Migration20261124070100_add_inspection extends Migration {
  override async up(): Promise<void> {
    for (const statement of statements) this.addSql(statement);
  }
}

const statements = [
  `create table "ComponentSchema" ("id" text not null, "vectorVersion" text not null, "schemaGzip" bytea null, "sizeBytes" int not null default 0, "error" text null, "requestedAt" timestamptz(3) not null, "storedAt" timestamptz(3) null, "createdAt" timestamptz(3) not null default now(), primary key ("id"))`,
  `comment on table "ComponentSchema" is 'Schema that a version of Vector generated for its components, sent by a host that runs it.'`,
  `comment on column "ComponentSchema"."schemaGzip" is 'JSON, compressed with gzip.'`,
  `comment on column "ComponentSchema"."sizeBytes" is 'Of the JSON.'`,
  `comment on column "ComponentSchema"."error" is 'Why that version has none.'`,
  `comment on column "ComponentSchema"."requestedAt" is 'When a host was last asked for it.'`,
  `alter table "ComponentSchema" add constraint "ComponentSchema_vectorVersion_key" unique ("vectorVersion")`,
  `alter table "Environment" add "redaction" jsonb null`,
  `comment on column "Environment"."redaction" is 'What must not leave hosts in samples and taps.'`,
  `alter table "VectorNode" add "capabilities" jsonb not null default '[]'`,
  `comment on column "VectorNode"."capabilities" is 'What the agent said it can do, at its last Hello.'`,
  `alter table "EventSampleRequest" add "nodeId" text null, add "timeLimitMs" int not null default 10000, add "error" text null`,
  `alter table "EventSampleRequest" add constraint "EventSampleRequest_nodeId_foreign" foreign key ("nodeId") references "VectorNode" ("id") on delete set null`,
  `comment on column "EventSampleRequest"."status" is 'PENDING, COMPLETED, ERROR or EXPIRED.'`,
  `create index "EventSampleRequest_nodeId_idx" on "EventSampleRequest" ("nodeId")`,
];
