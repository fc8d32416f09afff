import { Migration } from "@mikro-orm/migrations";

/** Hosts have rules of their own, which the deploy preview uses. */
export class Migration20261124234500_add_host_policy extends Migration {
  override async up(): Promise<void> {
    this.addSql(`alter table "VectorNode" add column "hostPolicy" jsonb null`);
    this.addSql(
      `comment on column "VectorNode"."hostPolicy" is 'The host''s own rules, as its agent reported them; the server cannot change them.'`,
    );
  }
}
