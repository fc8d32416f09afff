import { Migration } from "@mikro-orm/migrations";

/**
 * Secrets whose values are kept elsewhere: where they are, and when they were last read. The last good value stays in
 * "encryptedValue", sealed as every other, so that no delivery ever waits for a backend.
 */
export class Migration20261125050001_add_secret_backends extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      `alter table "Environment" add column "secretBackendCredential" text null,
         add column "secretBackendStatus" jsonb null`,
    );
    this.addSql(`comment on column "Environment"."secretBackendCredential" is 'Encrypted.'`);
    this.addSql(
      `comment on column "Environment"."secretBackendStatus" is 'When the backend was last asked, and what it could not do.'`,
    );
    this.addSql(
      `alter table "Secret" add column "reference" jsonb null, add column "readAt" timestamptz(3) null,
         add column "readFailure" text null`,
    );
    this.addSql(
      `comment on column "Secret"."reference" is 'Path, key and version in the backend of the environment; null: the value is kept here.'`,
    );
    this.addSql(
      `comment on column "Secret"."readAt" is 'When the backend last gave the value; null with a reference: never, and encryptedValue is empty.'`,
    );
    this.addSql(
      `comment on column "Secret"."readFailure" is 'Why the last try to read it failed.'`,
    );
  }

  override async down(): Promise<void> {
    this.addSql(
      `alter table "Secret" drop column "reference", drop column "readAt", drop column "readFailure"`,
    );
    this.addSql(
      `alter table "Environment" drop column "secretBackendCredential", drop column "secretBackendStatus"`,
    );
  }
}
