import { Migration } from "@mikro-orm/migrations";

/** A team may require a second factor, and a code of one never works twice. */
export class Migration20261124060200_add_second_factor extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      `alter table "Team" add column "requireSecondFactor" boolean not null default false`,
    );
    this.addSql(`alter table "User" add column "totpLastStep" bigint null`);
    this.addSql(`comment on column "User"."totpLastStep" is
      'The step of 30 seconds whose code was used last. No code up to it works again.'`);
  }
}
