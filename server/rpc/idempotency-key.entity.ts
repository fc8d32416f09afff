import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, json } from "../db/columns.ts";
import type { Scope } from "../scope.ts";

/** A failure that is answered again. */
export interface StoredFailure {
  readonly kind: string;
  readonly reason: string;
  readonly message: string;
  readonly violations: readonly { readonly field: string; readonly message: string }[];
}

const IdempotencyKeySchema = defineEntity({
  name: "IdempotencyKey",
  comment:
    "Calls that changed something and what they were answered, so that a repeat does not act again. Kept for a day.",
  uniques: [{ name: "IdempotencyKey_actor_key_key", properties: ["actor", "key"] }],
  properties: {
    id: id(),
    actor: p.text(),
    key: p.text(),
    rpc: p.text(),
    requestHash: p.text(),
    answer: p.text().nullable().hidden().comment("Encrypted: it may hold what is shown once."),
    failure: json<StoredFailure>().nullable(),
    createdAt: createdAt().index("IdempotencyKey_createdAt_idx"),
  },
});

export class IdempotencyKey extends IdempotencyKeySchema.class {}
IdempotencyKeySchema.setClass(IdempotencyKey);

const keptHours = 24;

/** Forgets answers that nobody may ask for any more. */
export async function removeOldKeys({ em, clock }: Pick<Scope, "em" | "clock">): Promise<number> {
  const before = new Date(clock.now().getTime() - keptHours * 3_600_000);
  return em.nativeDelete(IdempotencyKey, { createdAt: { $lt: before } });
}
