import { Migration } from "@mikro-orm/migrations";

/** What an agent says of a process beside its state: a notice for people, and the Vector that it is. */
export class Migration20261125000000_tell_more_of_processes extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      `alter table "NodePipelineStatus" add column "notice" text null, add column "vectorVersion" text null`,
    );
    this.addSql(
      `comment on column "NodePipelineStatus"."notice" is 'What a person should know although it runs as wanted.'`,
    );
    this.addSql(
      `comment on column "NodePipelineStatus"."vectorVersion" is 'Of the running process.'`,
    );
  }

  override async down(): Promise<void> {
    this.addSql(
      `alter table "NodePipelineStatus" drop column "notice", drop column "vectorVersion"`,
    );
  }
}
