import { Migration } from "@mikro-orm/migrations";

/** Hosts that had just enrolled and drafts that are no configuration got the text `{}` where an object belongs. */
export class Migration20261125050000_repair_empty_defaults extends Migration {
  override async up(): Promise<void> {
    for (const [table, column, empty] of [
      ["VectorNode", "labels", "{}"],
      ["VectorNode", "statusReasons", "[]"],
      ["VectorNode", "capabilities", "[]"],
      ["Pipeline", "references", "{}"],
    ]) {
      this.addSql(
        `update "${table}" set "${column}" = '${empty}' where jsonb_typeof("${column}") = 'string'`,
      );
    }
  }

  override async down(): Promise<void> {
    // What was repaired stays.
  }
}
