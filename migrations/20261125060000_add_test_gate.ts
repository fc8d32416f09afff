import { Migration } from "@mikro-orm/migrations";

export class Migration20261125060000_add_test_gate extends Migration {
  override async up(): Promise<void> {
    this.addSql(`alter table "Pipeline" add column "testGate" boolean not null default false`);
    this.addSql(
      `comment on column "Pipeline"."testGate" is 'Only a text whose tests pass may be deployed.'`,
    );
  }

  override async down(): Promise<void> {
    this.addSql(`alter table "Pipeline" drop column "testGate"`);
  }
}
