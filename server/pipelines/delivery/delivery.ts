import { createHash } from "node:crypto";
import type { Scope } from "../../scope.ts";
import { maximumValuesBytes } from "../../secrets/opened.ts";
import { listReferences, type References } from "../../secrets/references.ts";

/** A secret or certificate, by a digest that changes with its content. */
export interface DigestedReference {
  readonly kind: "secret" | "certificate";
  readonly name: string;
  readonly digest: string;
}

/**
 * Identifies all that a node holds of a pipeline. A version with the usual log level and no references is
 * identified by its own hash. Pure.
 */
export function hashOfDelivery(
  contentHash: string,
  logLevel: string | null,
  references: readonly DigestedReference[],
): string {
  if (logLevel === null && references.length === 0) return contentHash;
  const sorted = references
    .map(({ kind, name, digest }) => [kind, name, digest])
    .toSorted((a, b) => (a.join("\0") < b.join("\0") ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([2, contentHash, logLevel ?? "", sorted]))
    .digest("hex");
}

/** Says who must be there before hosts get anything new, as in `the secret es_password does not exist`. */
export function describeMissing(
  missing: readonly { readonly kind: string; readonly name: string; readonly isRead?: boolean }[],
  where = "this environment",
): string {
  const unread = missing.filter(({ isRead }) => isRead === false);
  if (unread.length > 0) {
    const names = unread.slice(0, 5).map(({ name }) => `the secret ${name}`);
    const rest = unread.length > 5 ? ` and ${unread.length - 5} more` : "";
    return `${names.join(", ")}${rest} ${unread.length === 1 ? "was" : "were"} never read from the backend of this environment`;
  }
  const named = missing.slice(0, 5).map(({ kind, name }) => `the ${kind} ${name}`);
  const more = missing.length > 5 ? ` and ${missing.length - 5} more` : "";
  return `${named.join(", ")}${more} ${missing.length === 1 ? "does" : "do"} not exist in ${where}`;
}

/** Serializes everything that changes what an environment's nodes shall hold. Take it before rows of pipelines. */
export async function lockDelivery(tx: Scope, environmentId: string): Promise<void> {
  await tx.em.execute(`select 1 from "Environment" where "id" = ? for no key update`, [
    environmentId,
  ]);
}

/** Lets nodes see that something changed: their manifest counts only with a higher generation (P10). */
export async function raiseGeneration(tx: Scope, environmentId: string): Promise<void> {
  await tx.em.execute(`update "Environment" set "generation" = "generation" + 1 where "id" = ?`, [
    environmentId,
  ]);
}

interface DeployedRow {
  readonly id: string;
  readonly name: string;
  readonly contentHash: string;
  readonly logLevel: string | null;
  readonly references: References;
  readonly deliveredHash: string | null;
  readonly deliveryProblem: string | null;
}

/** A deployed pipeline whose delivery changed, or could not be renewed. */
export interface RenewedDelivery {
  readonly pipelineId: string;
  readonly name: string;
  readonly changed: boolean;
  readonly problem: string | null;
}

/**
 * Writes what nodes shall hold of every deployed pipeline of an environment, in the transaction of whatever
 * changed it. A pipeline whose references do not all exist keeps the hash it had, so that it goes on running
 * (P2), and says why. Returns the pipelines of which something changed or is missing. Raises the generation
 * when nodes must look again.
 */
export async function renewDeliveries(
  tx: Scope,
  environmentId: string,
): Promise<readonly RenewedDelivery[]> {
  await lockDelivery(tx, environmentId);
  const known = await readDigests(tx, environmentId);
  const rows = await tx.em.execute<DeployedRow[]>(
    `select p."id", p."name", v."contentHash", p."logLevel", v."references", p."deliveredHash",
       p."deliveryProblem"
     from "Pipeline" p
     join "PipelineVersion" v on v."pipelineId" = p."id" and v."version" = p."deployedVersion"
     where p."environmentId" = ?`,
    [environmentId],
  );
  const renewed: RenewedDelivery[] = [];
  for (const row of rows) {
    const wanted = listReferences(row.references);
    const found = wanted.flatMap((reference) => known.get(keyOf(reference)) ?? []);
    const missing = wanted
      .map((reference) => known.get(keyOf(reference)) ?? reference)
      .filter((reference) => !("isRead" in reference && reference.isRead));
    const sizeBytes = found.reduce((sum, reference) => sum + reference.sizeBytes, 0);
    const problem =
      missing.length > 0
        ? describeMissing(missing)
        : sizeBytes > maximumValuesBytes
          ? `its secrets and certificates have ${sizeBytes} bytes together; at most ${maximumValuesBytes} reach a host`
          : null;
    const hash =
      problem === null ? hashOfDelivery(row.contentHash, row.logLevel, found) : row.deliveredHash;
    const changed = hash !== row.deliveredHash;
    if (changed || problem !== row.deliveryProblem) {
      await tx.em.execute(
        `update "Pipeline" set "deliveredHash" = ?, "deliveryProblem" = ? where "id" = ?`,
        [hash, problem, row.id],
      );
    }
    if (changed || problem !== null) {
      renewed.push({ pipelineId: row.id, name: row.name, changed, problem });
    }
  }
  if (renewed.some(({ changed }) => changed)) await raiseGeneration(tx, environmentId);
  return renewed;
}

function keyOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind}/${name}`;
}

interface StoredReference extends DigestedReference {
  /** Sealed, which is a few bytes more than the value. */
  readonly sizeBytes: number;
  /** False for a secret that its backend never gave. */
  readonly isRead: boolean;
}

async function readDigests(
  tx: Scope,
  environmentId: string,
): Promise<ReadonlyMap<string, StoredReference>> {
  const rows = await tx.em.execute<StoredReference[]>(
    `select 'secret' as "kind", "name", "valueDigest" as "digest",
       length("encryptedValue") * 3 / 4 as "sizeBytes", "reference" is null or "readAt" is not null as "isRead"
     from "Secret" where "environmentId" = ?
     union all
     select 'certificate', "name", "contentDigest", length("encryptedData") * 3 / 4, true
     from "Certificate" where "environmentId" = ?`,
    [environmentId, environmentId],
  );
  return new Map(rows.map((row) => [keyOf(row), row]));
}
