import { Migration } from "@mikro-orm/migrations";

/** How much of its host each process of a pipeline may use. */
export class Migration20261125030000_add_pipeline_limits extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      `alter table "Pipeline" add column "memoryLimitMib" int not null default 0,
         add column "cpuLimitCores" double precision not null default 0`,
    );
    this.addSql(
      `comment on column "Pipeline"."memoryLimitMib" is 'Of each process, in mebibytes; 0: no limit.'`,
    );
    this.addSql(`comment on column "Pipeline"."cpuLimitCores" is 'Of each process; 0: no limit.'`);
  }

  override async down(): Promise<void> {
    this.addSql(`alter table "Pipeline" drop column "memoryLimitMib", drop column "cpuLimitCores"`);
  }
}
