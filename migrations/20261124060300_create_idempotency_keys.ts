import { Migration } from "@mikro-orm/migrations";

/** What was answered to calls that carried an idempotency key, for a day. */
export class Migration20261124060300_create_idempotency_keys extends Migration {
  override async up(): Promise<void> {
    this.addSql(`create table "IdempotencyKey" (
      "id" text not null, "actor" text not null, "key" text not null, "rpc" text not null,
      "requestHash" text not null, "answer" text null, "failure" jsonb null,
      "createdAt" timestamptz(3) not null default now(), primary key ("id"))`);
    this.addSql(`comment on table "IdempotencyKey" is
      'Calls that changed something and what they were answered, so that a repeat does not act again. Kept for a day.'`);
    this.addSql(
      `comment on column "IdempotencyKey"."answer" is 'Encrypted: it may hold what is shown once.'`,
    );
    this.addSql(
      `alter table "IdempotencyKey" add constraint "IdempotencyKey_actor_key_key" unique ("actor", "key")`,
    );
    this.addSql(`create index "IdempotencyKey_createdAt_idx" on "IdempotencyKey" ("createdAt")`);
  }
}
