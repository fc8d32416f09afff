import { Migration } from "@mikro-orm/migrations";

/** What holds below the use cases: the audit only grows, series go with what they are of, one settings row. */
export class Migration20261124050100_add_rules extends Migration {
  override async up(): Promise<void> {
    this.addSql(`create function refuse_change() returns trigger language plpgsql as $$
      begin
        raise exception 'the table % only grows: rows are never changed or removed', tg_table_name
          using errcode = 'restrict_violation';
      end $$`);
    this.addSql(`create trigger "AuditLog_append_only" before update or delete on "AuditLog"
      for each row execute function refuse_change()`);
    this.addSql(`create trigger "AuditLog_no_truncate" before truncate on "AuditLog"
      for each statement execute function refuse_change()`);
    this.addSql(`create trigger "PipelineVersion_immutable" before update on "PipelineVersion"
      for each row execute function refuse_change()`);

    // Statement-level deletes instead of foreign keys: a key would be checked for each of 60 000 rows a
    // second, and one late row of a deleted pipeline would fail the whole batch.
    this.addSql(`create function delete_node_series() returns trigger language plpgsql as $$
      begin
        delete from "NodeMetric" where "nodeId" in (select "id" from gone);
        delete from "PipelineMetric" where "nodeId" in (select "id" from gone);
        delete from "PipelineLog" where "nodeId" in (select "id" from gone);
        return null;
      end $$`);
    this.addSql(`create trigger "VectorNode_delete_series" after delete on "VectorNode"
      referencing old table as gone for each statement execute function delete_node_series()`);
    this.addSql(`create function delete_pipeline_series() returns trigger language plpgsql as $$
      begin
        delete from "PipelineMetric" where "pipelineId" in (select "id" from gone);
        delete from "PipelineLog" where "pipelineId" in (select "id" from gone);
        return null;
      end $$`);
    this.addSql(`create trigger "Pipeline_delete_series" after delete on "Pipeline"
      referencing old table as gone for each statement execute function delete_pipeline_series()`);

    this.addSql(`alter table "SystemSettings"
      add constraint "SystemSettings_singleton" check ("id" = 'singleton')`);
    this.addSql(`insert into "SystemSettings" ("id", "installationId")
      values ('singleton', 'vfi_' || replace(gen_random_uuid()::text, '-', ''))`);

    // Rows of a day without a partition of its own are kept here until the day is made.
    for (const table of ["PipelineMetric", "NodeMetric", "PipelineLog"]) {
      this.addSql(`create table "${table}_default" partition of "${table}" default`);
    }
  }
}
