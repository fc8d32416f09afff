import { Migration } from "@mikro-orm/migrations";

/** The graph of each version as it was on the canvas, so that going back restores it. */
export class Migration20261125040100_add_graph_snapshots extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      `alter table "PipelineVersion" add column "nodesSnapshot" jsonb null, add column "edgesSnapshot" jsonb null`,
    );
    this.addSql(
      `comment on column "PipelineVersion"."nodesSnapshot" is 'Its components with their places; null: it is older than snapshots.'`,
    );
    this.addSql(
      `comment on column "PipelineVersion"."edgesSnapshot" is 'Its connections, by component keys.'`,
    );
  }

  override async down(): Promise<void> {
    this.addSql(
      `alter table "PipelineVersion" drop column "nodesSnapshot", drop column "edgesSnapshot"`,
    );
  }
}
