import { Migration } from "@mikro-orm/migrations";

/** Pipelines can be paused, versions keep their graph, and hosts are asked about configurations. */
export class Migration20261125040000_extend_the_life_of_pipelines extends Migration {
  override async up(): Promise<void> {
    for (const statement of statements) this.addSql(statement);
  }

  override async down(): Promise<void> {
    this.addSql(`drop table "HostCheckAnswer"`);
    this.addSql(`drop table "HostCheck"`);
    this.addSql(
      `alter table "PipelineVersion" drop column "nodesSnapshot", drop column "edgesSnapshot"`,
    );
    this.addSql(
      `alter table "Pipeline" drop column "pausedVersion", drop column "undeployedVersion"`,
    );
  }
}

const statements = [
  // What a pause or an undeploy took off the nodes, so that it can be put back.
  `alter table "Pipeline" add column "pausedVersion" int null, add column "undeployedVersion" int null`,
  `comment on column "Pipeline"."pausedVersion" is 'The version that comes back on resume; null: not paused.'`,
  `comment on column "Pipeline"."undeployedVersion" is 'The version that ran when it was undeployed; null: it is deployed or paused, or never was.'`,
  // The graph of each version as it was on the canvas, so that going back restores it.
  `alter table "PipelineVersion" add column "nodesSnapshot" jsonb null, add column "edgesSnapshot" jsonb null`,
  `comment on column "PipelineVersion"."nodesSnapshot" is 'Its components with their places; null: it is older than snapshots.'`,
  `comment on column "PipelineVersion"."edgesSnapshot" is 'Its connections, by component keys.'`,
  // Configurations that hosts are asked about before a deploy, and what they say.
  `create table "HostCheck" ("id" text not null, "pipelineId" text not null, "configYaml" text not null, "references" jsonb not null default '{}', "createdAt" timestamptz(3) not null default now(), "expiresAt" timestamptz(3) not null, primary key ("id"))`,
  `comment on table "HostCheck" is 'A configuration that hosts are asked about and that is not deployed; it is deleted when nobody waits for it any more.'`,
  `comment on column "HostCheck"."references" is 'Secrets and certificates that it names.'`,
  `create index "HostCheck_pipelineId_idx" on "HostCheck" ("pipelineId")`,
  `alter table "HostCheck" add constraint "HostCheck_pipelineId_foreign" foreign key ("pipelineId") references "Pipeline" ("id") on delete cascade`,
  `create table "HostCheckAnswer" ("id" text not null, "checkId" text not null, "nodeId" text not null, "verdict" text not null, "reason" text not null, "problems" jsonb not null default '[]', "vectorVersion" text not null, primary key ("id"))`,
  `comment on table "HostCheckAnswer" is 'What one host says of a configuration.'`,
  `comment on column "HostCheckAnswer"."verdict" is 'ACCEPTED, REFUSED or FAILED.'`,
  `alter table "HostCheckAnswer" add constraint "HostCheckAnswer_checkId_nodeId_key" unique ("checkId", "nodeId")`,
  `create index "HostCheckAnswer_nodeId_idx" on "HostCheckAnswer" ("nodeId")`,
  `alter table "HostCheckAnswer" add constraint "HostCheckAnswer_checkId_foreign" foreign key ("checkId") references "HostCheck" ("id") on delete cascade`,
  `alter table "HostCheckAnswer" add constraint "HostCheckAnswer_nodeId_foreign" foreign key ("nodeId") references "VectorNode" ("id") on delete cascade`,
];
