import { Migration } from "@mikro-orm/migrations";

/**
 * Each row of the audit carries the hash of its predecessor, so that a row that was changed, removed or put in
 * between is found by `node server/main.ts audit verify`.
 *
 * Rows are chained when their transaction commits, one transaction at a time: that is the only moment at which
 * their order is known, the lock is held for as long as a commit takes, and it is always the last lock that a
 * transaction takes, so that it can be part of no deadlock. Only that trigger may touch a row, and only once.
 */
export class Migration20261124060000_chain_audit extends Migration {
  override async up(): Promise<void> {
    this.addSql(`alter table "AuditLog" add column "sequence" bigint null,
      add column "previousHash" text null, add column "hash" text null`);
    const comments = {
      sequence: "Place in the chain; given by a trigger when the transaction commits.",
      previousHash: "The hash of the row before it.",
      hash: "SHA-256 over the row and the hash of the row before it.",
    };
    for (const [column, text] of Object.entries(comments)) {
      this.addSql(`comment on column "AuditLog"."${column}" is '${text}'`);
    }
    this.addSql(
      `alter table "AuditLog" add constraint "AuditLog_sequence_key" unique ("sequence")`,
    );
    this.addSql(`create index "AuditLog_teamId_idx" on "AuditLog" ("teamId")`);
    this.addSql(`create function audit_part(value text) returns text language sql immutable as $$
      select case when value is null then '-' else octet_length(value) || ':' || value end $$`);
    this.addSql(`create function audit_row_hash(r "AuditLog") returns text language sql stable as $$
      select encode(sha256(convert_to(
        audit_part(r."sequence"::text) || audit_part(r."previousHash") || audit_part(r."id") ||
        audit_part(r."userId") || audit_part(r."action") || audit_part(r."entityType") ||
        audit_part(r."entityId") || audit_part(r."diff"::text) || audit_part(r."metadata"::text) ||
        audit_part(r."ipAddress") || audit_part(r."userEmail") || audit_part(r."userName") ||
        audit_part(r."teamId") || audit_part(r."environmentId") ||
        audit_part(((extract(epoch from r."createdAt") * 1000)::bigint)::text), 'UTF8')), 'hex') $$`);
    this.addSql(`create function chain_audit_row() returns trigger language plpgsql as $$
      declare
        r "AuditLog";
        last record;
      begin
        perform pg_advisory_xact_lock(7426003);
        select * into r from "AuditLog" where "id" = new."id";
        select "sequence", "hash" into last from "AuditLog"
          where "sequence" is not null order by "sequence" desc limit 1;
        r."sequence" := coalesce(last."sequence", 0) + 1;
        r."previousHash" := coalesce(last."hash", '');
        update "AuditLog" set "sequence" = r."sequence", "previousHash" = r."previousHash",
          "hash" = audit_row_hash(r) where "id" = r."id";
        return null;
      end $$`);

    this.addSql(`drop trigger "AuditLog_append_only" on "AuditLog"`);
    // What is there already is chained in the order in which it was written.
    this.addSql(`do $$
      declare
        r "AuditLog";
        place bigint := 0;
        head text := '';
      begin
        for r in select * from "AuditLog" order by "createdAt", "id" loop
          place := place + 1;
          r."sequence" := place;
          r."previousHash" := head;
          head := audit_row_hash(r);
          update "AuditLog" set "sequence" = place, "previousHash" = r."previousHash", "hash" = head
            where "id" = r."id";
        end loop;
      end $$`);
    this.addSql(`create function guard_audit_row() returns trigger language plpgsql as $$
      declare
        chain text[] := array['sequence', 'previousHash', 'hash'];
      begin
        if tg_op = 'INSERT' then
          new."sequence" := null;
          new."previousHash" := null;
          new."hash" := null;
          return new;
        end if;
        if tg_op = 'UPDATE' and pg_trigger_depth() > 1 and old."hash" is null
           and to_jsonb(old) - chain = to_jsonb(new) - chain then
          return new;
        end if;
        raise exception 'the table % only grows: rows are never changed or removed', tg_table_name
          using errcode = 'restrict_violation';
      end $$`);
    this.addSql(`create trigger "AuditLog_append_only" before insert or update or delete on "AuditLog"
      for each row execute function guard_audit_row()`);
    this.addSql(`create constraint trigger "AuditLog_chain" after insert on "AuditLog"
      deferrable initially deferred for each row execute function chain_audit_row()`);
  }
}
