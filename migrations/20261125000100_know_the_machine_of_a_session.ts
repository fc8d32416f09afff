import { Migration } from "@mikro-orm/migrations";

/** Which machine holds a node's session, so that a copied disk cannot take it over. */
export class Migration20261125000100_know_the_machine_of_a_session extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      `alter table "VectorNode" add column "sessionId" text null, add column "sessionMachine" text null`,
    );
    this.addSql(
      `comment on column "VectorNode"."sessionId" is 'Of the session that lives, on whichever replica.'`,
    );
    this.addSql(
      `comment on column "VectorNode"."sessionMachine" is 'Which machine, in which boot, holds that session: a copied disk is told apart by it.'`,
    );
  }

  override async down(): Promise<void> {
    this.addSql(`alter table "VectorNode" drop column "sessionId", drop column "sessionMachine"`);
  }
}
