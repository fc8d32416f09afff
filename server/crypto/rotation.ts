import { audit } from "../audit/audit.ts";
import { transact } from "../db/transaction.ts";
import type { Scope } from "../scope.ts";
import { SealError, type Sealer } from "./sealer.ts";

/** Every column that holds sealed texts. Their context is `<table>.<column>/<id>`. */
const sealedColumns = [
  ["Account", "accessToken"],
  ["Account", "refreshToken"],
  ["Account", "idToken"],
  ["AlertWebhook", "hmacSecret"],
  ["Certificate", "encryptedData"],
  ["Environment", "gitToken"],
  ["Environment", "secretBackendCredential"],
  ["IdempotencyKey", "answer"],
  ["Secret", "encryptedValue"],
  ["SystemSettings", "oidcClientSecret"],
  ["User", "totpBackupCodes"],
  ["User", "totpSecret"],
] as const;

/** What a rotation did with one column, or would do. */
export interface ColumnRotation {
  /** As in `Secret.encryptedValue`. */
  readonly name: string;
  /** Values that were under the newest key before. */
  readonly current: number;
  readonly rotated: number;
  /** Ids of rows whose value no known key opens; they are left as they are. */
  readonly unreadable: readonly string[];
}

const pageRows = 500;

/**
 * Seals everything anew that an earlier secret sealed, a page a transaction: both secrets are readable meanwhile, so
 * servers go on, and what was interrupted goes on where it ended. A dry run opens every value and changes none.
 */
export async function rotateSealed(
  scope: Scope,
  sealer: Sealer,
  { dryRun }: { readonly dryRun: boolean },
): Promise<readonly ColumnRotation[]> {
  const rotations: ColumnRotation[] = [];
  for (const [table, column] of sealedColumns) {
    const whole = {
      name: `${table}.${column}`,
      current: 0,
      rotated: 0,
      unreadable: [] as string[],
    };
    for (let after: string | undefined = ""; after !== undefined;) {
      const from: string = after;
      const page = await transact(scope, (tx) =>
        rotatePage(tx, sealer, [table, column], from, dryRun),
      );
      whole.current += page.current;
      whole.rotated += page.rotated;
      whole.unreadable.push(...page.unreadable);
      after = page.last;
    }
    rotations.push(whole);
  }
  return rotations;
}

/** The rows after an id. `last` is the id to go on from. */
async function rotatePage(
  tx: Scope,
  sealer: Sealer,
  [table, column]: readonly [table: string, column: string],
  after: string,
  dryRun: boolean,
) {
  const name = `${table}.${column}`;
  const rows = await tx.em.execute<{ id: string; sealed: string }[]>(
    `select "id", "${column}" as "sealed" from "${table}"
     where coalesce("${column}"::text, '') <> '' and "id" > ? order by "id" limit ${pageRows} for update`,
    [after],
  );
  const page = {
    current: 0,
    rotated: 0,
    unreadable: [] as string[],
    last: rows.length < pageRows ? undefined : rows.at(-1)?.id,
  };
  for (const { id, sealed } of rows) {
    const value = tryOpen(sealer, `${name}/${id}`, sealed);
    if (value === undefined) {
      page.unreadable.push(id);
    } else if (sealer.isCurrent(sealed)) {
      page.current += 1;
    } else {
      page.rotated += 1;
      if (dryRun) continue;
      await tx.em.execute(`update "${table}" set "${column}" = ? where "id" = ?`, [
        sealer.seal(`${name}/${id}`, value),
        id,
      ]);
    }
  }
  if (page.rotated > 0 && !dryRun) {
    audit(tx, {
      action: "encryption.rotated",
      entityType: table,
      entityId: column,
      metadata: { values: page.rotated },
    });
  }
  return page;
}

function tryOpen(sealer: Sealer, context: string, sealed: string): Buffer | undefined {
  try {
    return sealer.open(context, sealed);
  } catch (error) {
    if (error instanceof SealError) return undefined;
    throw error;
  }
}
