import { Migration } from "@mikro-orm/migrations";

/** Tokens by which programs call the API: of one team, with one role, made by one person. */
export class Migration20261124060100_create_api_tokens extends Migration {
  override async up(): Promise<void> {
    this.addSql(`create table "ApiToken" (
      "id" text not null, "name" text not null, "teamId" text not null, "userId" text not null,
      "role" "Role" not null, "tokenHash" text not null, "hint" text not null,
      "expiresAt" timestamptz(3) null, "lastUsedAt" timestamptz(3) null,
      "createdAt" timestamptz(3) not null default now(), primary key ("id"))`);
    this.addSql(`comment on table "ApiToken" is
      'Tokens by which programs call the API. The token itself is stored only as its SHA-256.'`);
    this.addSql(`comment on column "ApiToken"."userId" is
      'Who made it. The token never may more than this person may now.'`);
    this.addSql(
      `alter table "ApiToken" add constraint "ApiToken_tokenHash_key" unique ("tokenHash")`,
    );
    this.addSql(`create index "ApiToken_teamId_idx" on "ApiToken" ("teamId")`);
    this.addSql(`create index "ApiToken_userId_idx" on "ApiToken" ("userId")`);
    this.addSql(`alter table "ApiToken" add constraint "ApiToken_teamId_foreign"
      foreign key ("teamId") references "Team" ("id") on delete cascade`);
    this.addSql(`alter table "ApiToken" add constraint "ApiToken_userId_foreign"
      foreign key ("userId") references "User" ("id") on delete cascade`);
  }
}
