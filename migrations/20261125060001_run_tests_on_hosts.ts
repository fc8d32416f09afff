import { Migration } from "@mikro-orm/migrations";

export class Migration20261125060001_run_tests_on_hosts extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      `alter table "HostCheck" add column "nodeId" text,
         add column "runTests" boolean not null default false,
         add constraint "HostCheck_nodeId_foreign" foreign key ("nodeId") references "VectorNode" ("id")
           on delete cascade`,
    );
    this.addSql(`create index "HostCheck_nodeId_idx" on "HostCheck" ("nodeId")`);
    this.addSql(
      `comment on column "HostCheck"."nodeId" is 'The only host that is asked; null: all of the pipeline.'`,
    );
    this.addSql(`comment on column "HostCheck"."runTests" is 'Its unit tests are run instead.'`);
    this.addSql(`alter table "HostCheckAnswer" add column "tests" jsonb not null default '[]'`);
    this.addSql(`alter table "Pipeline" add column "testedHash" text`);
    this.addSql(
      `comment on column "Pipeline"."testedHash" is 'The configuration whose tests passed on a host last; null: none.'`,
    );
  }

  override async down(): Promise<void> {
    this.addSql(`alter table "Pipeline" drop column "testedHash"`);
    this.addSql(`alter table "HostCheckAnswer" drop column "tests"`);
    this.addSql(`alter table "HostCheck" drop column "runTests", drop column "nodeId"`);
  }
}
