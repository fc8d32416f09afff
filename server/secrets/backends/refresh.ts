import { audit } from "../../audit/audit.ts";
import { announce } from "../../db/changes.ts";
import { transact } from "../../db/transaction.ts";
import type { ServerDeps } from "../../deps.ts";
import type { SecretBackendStatus } from "../../environments/environment.entity.ts";
import { DomainError, FieldViolations } from "../../errors.ts";
import { lockDelivery } from "../../pipelines/delivery/delivery.ts";
import { teamIdOf } from "../../pipelines/pipelines.ts";
import type { Scope } from "../../scope.ts";
import { Secret } from "../secret.entity.ts";
import { pushValues } from "../stored-values.ts";
import { takeOutcome } from "../take-outcome.ts";
import { BackendFailure, type ReadOutcome, type SecretReference } from "./backend.ts";
import { checkReference, type ExternalSettings } from "./settings.ts";
import { openStored, readBackend, type StoredBackend } from "./stored-backend.ts";

export type RefreshDeps = Pick<ServerDeps, "sealer" | "digests" | "backends">;

export interface Refreshed {
  readonly readCount: number;
  readonly failedCount: number;
  readonly changedNames: readonly string[];
  /** Pipelines of which hosts get new values. */
  readonly pipelineNames: readonly string[];
  /** Set when the backend as a whole did not answer. */
  readonly failure: BackendFailure | undefined;
}

/**
 * Reads every secret of an environment from its backend, and gives hosts what changed. What cannot be read keeps its
 * last good value, so that an outage changes nothing that runs (P2). `asked` says whether a person asked for it, and
 * shall find it in the audit even when nothing changed.
 */
export async function refreshSecrets(
  scope: Scope,
  deps: RefreshDeps,
  environmentId: string,
  { asked }: { readonly asked: boolean },
): Promise<Refreshed> {
  const stored = await readBackend(scope.em, environmentId);
  const { settings } = stored;
  if (settings.kind === "BUILTIN") {
    throw new DomainError(
      "precondition",
      "secret_backend_builtin",
      "the secrets of this environment are kept here: there is nothing to read them from",
    );
  }
  const rows = await scope.em.execute<{ id: string; reference: SecretReference }[]>(
    `select "id", "reference" from "Secret"
     where "environmentId" = ? and "reference" is not null order by "id"`,
    [environmentId],
  );
  let outcomes: ReadonlyMap<string, ReadOutcome> = new Map();
  let failure: BackendFailure | undefined;
  try {
    outcomes = await readAll(scope, deps, stored, settings, rows);
  } catch (error) {
    if (!(error instanceof BackendFailure)) throw error;
    failure = error;
    scope.log.warn("a backend of secrets does not answer", {
      environmentId,
      failure: error.kind,
      error: error.cause ?? error,
    });
  }
  return transact(scope, async (tx) => {
    await lockDelivery(tx, environmentId);
    const now = await readBackend(tx.em, environmentId);
    const references = new Map(rows.map(({ id, reference }) => [id, reference]));
    // Of settings that are gone nothing counts any more.
    const current = now.etag === stored.etag ? outcomes : new Map<string, ReadOutcome>();
    const taken = await takeOutcomes(tx, deps, environmentId, references, current);
    if (now.etag === stored.etag) await writeStatus(tx, environmentId, now.status, failure);
    if (asked || taken.changedNames.length > 0) {
      audit(tx, {
        action: asked ? "secret.refreshed" : "secret.rotated",
        entityType: "Environment",
        entityId: environmentId,
        teamId: await teamIdOf(tx, environmentId),
        environmentId,
        metadata: {
          changed: taken.changedNames.slice(0, 50),
          pipelines: taken.pipelineNames.slice(0, 50),
          failed: failure === undefined ? taken.failedCount : rows.length,
        },
      });
    }
    return {
      ...taken,
      readCount: outcomes.size - taken.failedCount,
      failedCount: failure === undefined ? taken.failedCount : rows.length,
      failure,
    };
  });
}

/** What the backend says of each secret, by id. Throws a BackendFailure when it does not answer as a whole. */
async function readAll(
  scope: Scope,
  deps: RefreshDeps,
  stored: StoredBackend,
  settings: ExternalSettings,
  rows: readonly { readonly id: string; readonly reference: SecretReference }[],
): Promise<ReadonlyMap<string, ReadOutcome>> {
  const outcomes = new Map<string, ReadOutcome>();
  const asking = rows.filter(({ id, reference }) => {
    const { outcome } = usableIn(settings, reference);
    if (outcome !== undefined) outcomes.set(id, outcome);
    return outcome === undefined;
  });
  const open = openStored(deps.sealer, stored);
  if (open === undefined) return outcomes;
  const read = await deps.backends.use(stored.environmentId, open, async (client) => {
    // Without secrets the sign-in alone tells how it does.
    if (asking.length === 0) await client.check(scope.signal);
    return client.read(
      asking.map(({ reference }) => reference),
      scope.signal,
    );
  });
  asking.forEach(({ id }, index) => {
    const outcome = read[index];
    if (outcome !== undefined) outcomes.set(id, outcome);
  });
  return outcomes;
}

/** A reference that was made for another backend, or that the environment may not have any more, is not asked for. */
function usableIn(
  settings: ExternalSettings,
  reference: SecretReference,
): { readonly outcome?: ReadOutcome } {
  try {
    const violations = new FieldViolations();
    checkReference(reference, settings, violations);
    violations.throwIfAny();
    return {};
  } catch (cause) {
    const message = "its reference is not for this backend: give it another";
    const failure = new BackendFailure("settings", message, { cause });
    return { outcome: { kind: "failed", failure } };
  }
}

/** Writes what was read, in the caller's transaction; what was given another reference meanwhile is left alone. */
async function takeOutcomes(
  tx: Scope,
  deps: RefreshDeps,
  environmentId: string,
  references: ReadonlyMap<string, SecretReference>,
  outcomes: ReadonlyMap<string, ReadOutcome>,
) {
  const secrets = await tx.em.find(Secret, {
    environmentId,
    id: { $in: [...outcomes.keys()] },
  });
  const now = tx.clock.now();
  const changedNames: string[] = [];
  const seen: string[] = [];
  const failed = new Map<string, string[]>();
  let isNew = false;
  for (const secret of secrets) {
    const outcome = outcomes.get(secret.id);
    if (outcome === undefined || !isSame(references.get(secret.id), secret.reference)) continue;
    const taken = takeOutcome(deps, secret, outcome, now);
    if (taken === "changed") changedNames.push(secret.name);
    if (taken === "changed" || taken === "first") {
      isNew = true;
      continue;
    }
    // Its value is as old as it was: these are no changes of the entity, which would renew updatedAt.
    tx.em.getUnitOfWork().unsetIdentity(secret);
    if (outcome.kind === "failed") {
      failed.set(outcome.failure.kind, [...(failed.get(outcome.failure.kind) ?? []), secret.id]);
    } else seen.push(secret.id);
  }
  await tx.em.flush();
  await tx.em.execute(
    `update "Secret" set "readAt" = ?, "readFailure" = null where "id" = any(string_to_array(?, ','))`,
    [now, seen.join(",")],
  );
  for (const [kind, ids] of failed) {
    await tx.em.execute(
      `update "Secret" set "readFailure" = ? where "id" = any(string_to_array(?, ','))`,
      [kind, ids.join(",")],
    );
  }
  const failedCount = [...failed.values()].reduce((sum, ids) => sum + ids.length, 0);
  const pipelineNames = isNew ? await pushValues(tx, environmentId) : [];
  return { changedNames: changedNames.toSorted(), failedCount, pipelineNames };
}

type MaybeReference = SecretReference | null | undefined;

function isSame(a: MaybeReference, b: MaybeReference): boolean {
  return a?.path === b?.path && a?.key === b?.key && a?.version === b?.version;
}

async function writeStatus(
  tx: Scope,
  environmentId: string,
  before: SecretBackendStatus | null,
  failure: BackendFailure | undefined,
): Promise<void> {
  const checkedAt = tx.clock.now().toISOString();
  const after: SecretBackendStatus = {
    checkedAt,
    ...(failure !== undefined && {
      failure: failure.kind,
      message: failure.message,
      failingSince: before?.failingSince ?? checkedAt,
    }),
  };
  await tx.em.execute(`update "Environment" set "secretBackendStatus" = ?::jsonb where "id" = ?`, [
    JSON.stringify(after),
    environmentId,
  ]);
  if (before?.failure !== failure?.kind) {
    await announce(tx.em, { kind: "seen", environmentId, topic: "environment" });
  }
}
