import { Migration } from "@mikro-orm/migrations";

/** Values of an environment that pipelines refer to as `VAR[name]`, and those that a version was made with. */
export class Migration20261125050002_add_variables extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      `create table "Variable" ("id" text not null, "name" text not null, "value" text not null,
         "description" text null, "environmentId" text not null,
         "createdAt" timestamptz(3) not null default now(), "updatedAt" timestamptz(3) not null default now(),
         primary key ("id"))`,
    );
    this.addSql(
      `comment on table "Variable" is 'Values of an environment that pipelines refer to as VAR[name].'`,
    );
    this.addSql(
      `alter table "Variable" add constraint "Variable_environmentId_name_key" unique ("environmentId", "name")`,
    );
    this.addSql(
      `alter table "Variable" add constraint "Variable_environmentId_foreign" foreign key ("environmentId")
         references "Environment" ("id") on delete cascade`,
    );
    this.addSql(`alter table "PipelineVersion" add column "variables" jsonb not null default '{}'`);
    this.addSql(
      `comment on column "PipelineVersion"."variables" is 'Variables that it was made with, by name.'`,
    );
  }

  override async down(): Promise<void> {
    this.addSql(`alter table "PipelineVersion" drop column "variables"`);
    this.addSql(`drop table "Variable"`);
  }
}
