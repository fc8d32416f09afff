import { audit } from "../audit/audit.ts";
import { newId } from "../db/columns.ts";
import { transact } from "../db/transaction.ts";
import { DomainError, FieldViolations, notFound } from "../errors.ts";
import { lockDelivery } from "../pipelines/delivery/delivery.ts";
import { teamIdOf } from "../pipelines/pipelines.ts";
import type { Scope } from "../scope.ts";
import { secretContext } from "./sealed-context.ts";
import { Secret } from "./secret.entity.ts";
import {
  checkName,
  pushValues,
  refuseExternal,
  refuseInUse,
  refuseTooMany,
  translateTaken,
  type Vault,
} from "./stored-values.ts";
import { digestOf, holds, setValue } from "./take-outcome.ts";
import type { FailureKind, SecretReference } from "./backends/backend.ts";

const maximumValueBytes = 32_768;

/** A secret as people see it: never with its value. */
export interface SecretView {
  readonly id: string;
  readonly environmentId: string;
  readonly name: string;
  /** Null or undefined when the value is kept here. */
  readonly reference?: SecretReference | null | undefined;
  readonly readAt?: Date | null | undefined;
  readonly readFailure?: FailureKind | null | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Refuses what is no value: nothing, too much, and what a masked value looks like (X4). */
export function checkValue(value: string, violations: FieldViolations): void {
  if (value === "") violations.add("value", "is required");
  else if (Buffer.byteLength(value) > maximumValueBytes) {
    violations.add("value", `must have at most ${maximumValueBytes} bytes`);
  } else if (/^\s*(?:[•●*]{3,}|\[secret [^\]]+\]|SECRET\[[^\]]+\])\s*$/.test(value)) {
    violations.add("value", "is a placeholder, not a value");
  }
}

/** The secrets of an environment by name, after the given one. */
export async function listSecrets(
  scope: Pick<Scope, "em">,
  environmentId: string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<SecretView[]> {
  return scope.em.find(
    Secret,
    { environmentId, ...(after !== undefined && { name: { $gt: after } }) },
    { orderBy: { name: "asc" }, limit },
  );
}

/** Creates a secret. Throws `conflict` when the environment has one of that name. */
export async function createSecret(
  scope: Scope,
  vault: Vault,
  input: { readonly environmentId: string; readonly name: string; readonly value: string },
): Promise<SecretView> {
  const violations = new FieldViolations();
  checkName(input.name, violations);
  checkValue(input.value, violations);
  violations.throwIfAny();
  return translateTaken("secret", input.name, () =>
    transact(scope, async (tx) => {
      await lockDelivery(tx, input.environmentId);
      const secret = await addSecret(tx, vault, input);
      await pushValues(tx, input.environmentId);
      return secret;
    }),
  );
}

/** Adds a secret in the caller's transaction, which holds the lock of the delivery. */
export async function addSecret(
  tx: Scope,
  vault: Vault,
  input: { readonly environmentId: string; readonly name: string; readonly value: string },
): Promise<Secret> {
  const { environmentId, name, value } = input;
  await refuseExternal(tx, environmentId);
  await refuseTooMany(tx, environmentId, "secret");
  const id = newId();
  const now = tx.clock.now();
  const secret = tx.em.create(Secret, {
    id,
    name,
    environmentId,
    encryptedValue: vault.sealer.seal(secretContext(id), value),
    valueDigest: digestOf(vault, environmentId, name, value),
    createdAt: now,
    updatedAt: now,
  });
  await recordSecret(tx, "secret.created", secret);
  await tx.em.flush();
  return secret;
}

/** Replaces the value. The same value again changes nothing, here and on hosts. */
export async function updateSecret(
  scope: Scope,
  vault: Vault,
  input: { readonly environmentId: string; readonly id: string; readonly value: string },
): Promise<{
  readonly secret: SecretView;
  readonly changed: boolean;
  readonly pipelineNames: readonly string[];
}> {
  const violations = new FieldViolations();
  checkValue(input.value, violations);
  violations.throwIfAny();
  return transact(scope, async (tx) => {
    await lockDelivery(tx, input.environmentId);
    await refuseExternal(tx, input.environmentId);
    const secret = await findSecret(tx, input);
    if (secret.reference == null && holds(vault, secret, input.value)) {
      return { secret, changed: false, pipelineNames: [] };
    }
    setValue(vault, secret, input.value, tx.clock.now());
    tx.em.assign(secret, { reference: null, readAt: null, readFailure: null });
    await tx.em.flush();
    const pipelineNames = await pushValues(tx, input.environmentId);
    await recordSecret(tx, "secret.updated", secret, { pipelines: pipelineNames.slice(0, 50) });
    return { secret, changed: true, pipelineNames };
  });
}

/** Returns the value, with a row in the audit that is there before the value leaves (X8). */
export async function revealSecret(
  scope: Scope,
  vault: Vault,
  input: { readonly environmentId: string; readonly id: string },
): Promise<string> {
  return transact(scope, async (tx) => {
    const secret = await findSecret(tx, input);
    if (secret.encryptedValue === "") throw neverRead(secret.name);
    const value = vault.sealer.open(secretContext(secret.id), secret.encryptedValue).toString();
    await recordSecret(tx, "secret.revealed", secret);
    return value;
  });
}

/** Deletes a secret. What runs with it goes on with the value that hosts have (P2). */
export async function deleteSecret(
  scope: Scope,
  input: {
    readonly environmentId: string;
    readonly id: string;
    readonly confirmInUse: boolean;
  },
): Promise<void> {
  await transact(scope, async (tx) => {
    const { environmentId, confirmInUse } = input;
    await lockDelivery(tx, environmentId);
    const secret = await findSecret(tx, input);
    const used = await refuseInUse(tx, environmentId, "secret", secret.name, confirmInUse);
    await recordSecret(tx, "secret.deleted", secret, { deployedIn: used.slice(0, 50) });
    tx.em.remove(secret);
    await tx.em.flush();
    await pushValues(tx, environmentId);
  });
}

function neverRead(name: string): DomainError {
  return new DomainError(
    "precondition",
    "secret_never_read",
    `the value of ${name} was never read from its backend`,
  );
}

export async function findSecret(
  tx: Scope,
  { environmentId, id }: { readonly environmentId: string; readonly id: string },
): Promise<Secret> {
  const secret = await tx.em.findOne(Secret, { id, environmentId });
  if (secret === null) throw notFound("secret", id);
  return secret;
}

export async function recordSecret(
  tx: Scope,
  action: string,
  secret: Secret,
  metadata: Record<string, unknown> = {},
): Promise<void> {
  audit(tx, {
    action,
    entityType: "Secret",
    entityId: secret.id,
    teamId: await teamIdOf(tx, secret.environmentId),
    environmentId: secret.environmentId,
    metadata: { name: secret.name, ...metadata },
  });
}
