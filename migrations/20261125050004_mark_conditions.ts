import { Migration } from "@mikro-orm/migrations";

/** Snippets that are conditions are compiled as such. */
export class Migration20261125050004_mark_conditions extends Migration {
  override async up(): Promise<void> {
    this.addSql(`alter table "VrlSnippet" add column "condition" boolean not null default false`);
    this.addSql(
      `comment on column "VrlSnippet"."condition" is 'It gives true or false and changes nothing.'`,
    );
  }

  override async down(): Promise<void> {
    this.addSql(`alter table "VrlSnippet" drop column "condition"`);
  }
}
