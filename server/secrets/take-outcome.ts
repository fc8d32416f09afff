import { isSealed } from "../crypto/sealer.ts";
import type { ReadOutcome } from "./backends/backend.ts";
import { secretContext } from "./sealed-context.ts";
import type { Secret } from "./secret.entity.ts";
import type { Vault } from "./stored-values.ts";

/** Tells hosts a changed value by its digest. */
export function digestOf(
  { digests }: Vault,
  environmentId: string,
  name: string,
  value: string,
): string {
  return digests.digest(`Secret/${environmentId}/${name}`, value);
}

/** Whether a secret has this value. Digests cannot tell: they change with the server's secret. */
export function holds({ sealer }: Vault, secret: Secret, value: string): boolean {
  return (
    secret.encryptedValue !== "" &&
    isSealed(sealer, secretContext(secret.id), secret.encryptedValue, value)
  );
}

/** Gives a secret a value, and what hosts tell it by. */
export function setValue(vault: Vault, secret: Secret, value: string, now: Date): void {
  secret.encryptedValue = vault.sealer.seal(secretContext(secret.id), value);
  secret.valueDigest = digestOf(vault, secret.environmentId, secret.name, value);
  secret.updatedAt = now;
}

/** What a read does to a secret. */
export type Taken = "failed" | "same" | "first" | "changed";

/**
 * Takes what a backend said of a secret, without writing it. A failure leaves the last good value, sealed as every
 * other, so that it is there after a restart of the server and without the backend (P2).
 */
export function takeOutcome(vault: Vault, secret: Secret, outcome: ReadOutcome, now: Date): Taken {
  if (outcome.kind === "failed") {
    secret.readFailure = outcome.failure.kind;
    return "failed";
  }
  const isFirst = secret.encryptedValue === "";
  const isSame = holds(vault, secret, outcome.value);
  secret.readFailure = null;
  secret.readAt = now;
  if (isSame) return "same";
  setValue(vault, secret, outcome.value, now);
  return isFirst ? "first" : "changed";
}
