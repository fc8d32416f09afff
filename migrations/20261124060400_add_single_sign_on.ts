import { Migration } from "@mikro-orm/migrations";

/** Signing in through an OpenID provider: its settings, and what came from it. */
export class Migration20261124060400_add_single_sign_on extends Migration {
  override async up(): Promise<void> {
    this.addSql(`alter table "SystemSettings"
      add column "oidcEnabled" boolean not null default false,
      add column "oidcDisplayName" text null,
      add column "oidcIssuer" text null,
      add column "oidcClientId" text null,
      add column "oidcClientSecret" text null,
      add column "oidcGroupsClaim" text not null default 'groups',
      add column "oidcGroupMappings" jsonb null,
      add column "oidcDefaultTeamId" text null,
      add column "oidcDefaultRole" "Role" not null default 'VIEWER'`);
    this.addSql(`comment on column "SystemSettings"."oidcClientSecret" is 'Encrypted.'`);
    this.addSql(
      `alter table "Session" add column "authMethod" "AuthMethod" not null default 'LOCAL'`,
    );
    this.addSql(`alter table "User" add column "oidcLinkAllowed" boolean not null default false`);
    this.addSql(`comment on column "User"."oidcLinkAllowed" is
      'An admin allows the provider''s account with the same e-mail to be linked at its next sign-in.'`);
    this.addSql(
      `alter table "TeamMember" add column "fromProvider" boolean not null default false`,
    );
    this.addSql(`comment on column "TeamMember"."fromProvider" is
      'Given by the provider''s groups, and taken by them at a later sign-in.'`);
  }
}
