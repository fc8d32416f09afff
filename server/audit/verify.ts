import { createHash } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";

/** What a check of the audit's chain found. */
export type AuditVerdict =
  /** `head` is the hash of the last row: kept elsewhere, it shows later that rows were cut off the end. */
  | { readonly kind: "intact"; readonly rows: number; readonly head: string }
  | {
      readonly kind: "broken";
      readonly sequence: number;
      readonly id: string;
      readonly reason: string;
    };

interface ChainRow {
  readonly sequence: string;
  readonly previousHash: string | null;
  readonly hash: string | null;
  readonly id: string;
  readonly parts: (string | null)[];
}

const pageRows = 5000;

/**
 * Walks the chain of the audit from its first row and computes every hash again, here and not in the database, so
 * that a function changed there hides nothing. Names the first row that does not fit.
 */
export async function verifyAudit(em: EntityManager): Promise<AuditVerdict> {
  let sequence = 0;
  let head = "";
  for (;;) {
    const rows = await em.execute<ChainRow[]>(
      `select "sequence"::text, "previousHash", "hash", "id", array["userId", "action", "entityType", "entityId",
         "diff"::text, "metadata"::text, "ipAddress", "userEmail", "userName", "teamId", "environmentId",
         ((extract(epoch from "createdAt") * 1000)::bigint)::text] as "parts"
       from "AuditLog" a where a."sequence" > ? order by a."sequence" limit ?`,
      [sequence, pageRows],
    );
    for (const row of rows) {
      const at = Number(row.sequence);
      const broken = (reason: string): AuditVerdict => ({
        kind: "broken",
        sequence: at,
        id: row.id,
        reason,
      });
      if (at !== sequence + 1) return broken(`row ${sequence + 1} before it is missing`);
      if (row.previousHash !== head)
        return broken("it does not carry the hash of the row before it");
      if (hashRow(row) !== row.hash) return broken("it was changed after it was written");
      sequence = at;
      head = row.hash ?? "";
    }
    if (rows.length < pageRows) break;
  }
  const [loose] = await em.execute<{ id: string }[]>(
    `select "id" from "AuditLog" where "sequence" is null limit 1`,
  );
  if (loose !== undefined) {
    const reason = "it was put in without becoming part of the chain";
    return { kind: "broken", sequence: 0, id: loose.id, reason };
  }
  return { kind: "intact", rows: sequence, head };
}

/** Every part with its length before it, so that no two rows have the same text. */
function hashRow(row: ChainRow): string {
  const hash = createHash("sha256");
  for (const part of [row.sequence, row.previousHash, row.id, ...row.parts]) {
    hash.update(part === null ? "-" : `${Buffer.byteLength(part)}:${part}`);
  }
  return hash.digest("hex");
}
