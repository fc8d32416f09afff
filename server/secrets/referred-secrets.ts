import { newId } from "../db/columns.ts";
import { transact } from "../db/transaction.ts";
import type { ServerDeps } from "../deps.ts";
import { DomainError, FieldViolations } from "../errors.ts";
import { lockDelivery } from "../pipelines/delivery/delivery.ts";
import type { Scope } from "../scope.ts";
import { BackendFailure, type ReadOutcome, type SecretReference } from "./backends/backend.ts";
import { checkReference } from "./backends/settings.ts";
import { openStored, readBackend } from "./backends/stored-backend.ts";
import { Secret } from "./secret.entity.ts";
import { findSecret, recordSecret, type SecretView } from "./secrets.ts";
import { checkName, pushValues, refuseTooMany, translateTaken } from "./stored-values.ts";
import { takeOutcome } from "./take-outcome.ts";

type Deps = Pick<ServerDeps, "sealer" | "digests" | "backends">;

/** Checks a reference against the environment's backend, and reads it once. */
async function readReference(
  scope: Scope,
  deps: Deps,
  environmentId: string,
  given: SecretReference,
  violations: FieldViolations,
): Promise<{ etag: string; reference: SecretReference; outcome: ReadOutcome }> {
  const stored = await readBackend(scope.em, environmentId);
  const { settings, etag } = stored;
  if (settings.kind === "BUILTIN") {
    violations.add("reference", "must be absent: this environment keeps values itself");
    violations.throwIfAny();
    throw new Error("a violation was not thrown");
  }
  const reference = checkReference(given, settings, violations);
  violations.throwIfAny();
  try {
    const open = openStored(deps.sealer, stored);
    if (open === undefined) throw new Error("an external backend was not opened");
    const [outcome] = await deps.backends.use(environmentId, open, (client) =>
      client.read([reference], scope.signal),
    );
    if (outcome === undefined) throw new Error("a backend did not answer");
    return { etag, reference, outcome };
  } catch (error) {
    if (!(error instanceof BackendFailure)) throw error;
    scope.log.warn("a secret cannot be read from its backend", {
      environmentId,
      failure: error.kind,
      error: error.cause ?? error,
    });
    return { etag, reference, outcome: { kind: "failed", failure: error } };
  }
}

async function refuseOtherBackend(tx: Scope, environmentId: string, etag: string): Promise<void> {
  if ((await readBackend(tx.em, environmentId)).etag === etag) return;
  throw new DomainError(
    "stale",
    "secret_backend_changed",
    "someone changed where secrets are kept: try again",
  );
}

/** A secret whose value is in the backend. One that cannot be read yet is made all the same, and says why. */
export async function createReferredSecret(
  scope: Scope,
  deps: Deps,
  input: {
    readonly environmentId: string;
    readonly name: string;
    readonly reference: SecretReference;
  },
): Promise<SecretView> {
  const { environmentId, name } = input;
  const violations = new FieldViolations();
  checkName(name, violations);
  const read = await readReference(scope, deps, environmentId, input.reference, violations);
  return translateTaken("secret", name, () =>
    transact(scope, async (tx) => {
      await lockDelivery(tx, environmentId);
      await refuseOtherBackend(tx, environmentId, read.etag);
      await refuseTooMany(tx, environmentId, "secret");
      const now = tx.clock.now();
      const secret = tx.em.create(Secret, {
        id: newId(),
        name,
        environmentId,
        encryptedValue: "",
        reference: read.reference,
        createdAt: now,
        updatedAt: now,
      });
      takeOutcome(deps, secret, read.outcome, now);
      await recordSecret(tx, "secret.created", secret, { reference: read.reference });
      await tx.em.flush();
      await pushValues(tx, environmentId);
      return secret;
    }),
  );
}

/**
 * Gives a secret another reference. Refused when that cannot be read: hosts shall not go on with the value of the one
 * before under the name of the new one.
 */
export async function updateReference(
  scope: Scope,
  deps: Deps,
  input: {
    readonly environmentId: string;
    readonly id: string;
    readonly reference: SecretReference;
  },
): Promise<{ secret: SecretView; changed: boolean; pipelineNames: readonly string[] }> {
  const { environmentId } = input;
  const violations = new FieldViolations();
  const read = await readReference(scope, deps, environmentId, input.reference, violations);
  const { outcome } = read;
  if (outcome.kind === "failed") {
    throw new DomainError(
      "precondition",
      "secret_not_readable",
      `nothing was changed: ${outcome.failure.message}`,
    );
  }
  return transact(scope, async (tx) => {
    await lockDelivery(tx, environmentId);
    await refuseOtherBackend(tx, environmentId, read.etag);
    const secret = await findSecret(tx, input);
    const before = secret.reference ?? null;
    secret.reference = read.reference;
    const taken = takeOutcome(deps, secret, outcome, tx.clock.now());
    await tx.em.flush();
    const pipelineNames = taken === "same" ? [] : await pushValues(tx, environmentId);
    await recordSecret(tx, "secret.updated", secret, {
      reference: { before, after: read.reference },
      pipelines: pipelineNames.slice(0, 50),
    });
    return { secret, changed: taken !== "same", pipelineNames };
  });
}
