import { Migration } from "@mikro-orm/migrations";

/** The text of a template, and what is filled in when it is used. */
export class Migration20261125050003_complete_templates extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      `alter table "Template" add column "yaml" text not null default '', add column "parameters" jsonb not null default '[]'`,
    );
    this.addSql(
      `comment on column "Template"."yaml" is 'The text that nodes and edges were made from.'`,
    );
    this.addSql(
      `comment on column "Template"."parameters" is 'What is filled in for PARAM[name].'`,
    );
    this.addSql(
      `create unique index "Template_teamId_name_key" on "Template" ("teamId", lower("name"))`,
    );
  }

  override async down(): Promise<void> {
    this.addSql(`drop index "Template_teamId_name_key"`);
    this.addSql(`alter table "Template" drop column "yaml", drop column "parameters"`);
  }
}
