import { Migration } from "@mikro-orm/migrations";

/** What a pause or an undeploy took off the nodes, so that it can be put back. */
export class Migration20261125040000_add_pauses extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      `alter table "Pipeline" add column "pausedVersion" int null, add column "undeployedVersion" int null`,
    );
    this.addSql(
      `comment on column "Pipeline"."pausedVersion" is 'The version that comes back on resume; null: not paused.'`,
    );
    this.addSql(
      `comment on column "Pipeline"."undeployedVersion" is 'The version that ran when it was undeployed; null: it is deployed or paused, or never was.'`,
    );
  }

  override async down(): Promise<void> {
    this.addSql(
      `alter table "Pipeline" drop column "pausedVersion", drop column "undeployedVersion"`,
    );
  }
}
