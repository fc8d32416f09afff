import { DomainError } from "../errors.ts";
import type { Scope } from "../scope.ts";

const failuresBeforeLock = 10;
const lockMs = 15 * 60_000;

/** Counts a wrong password or code, in the caller's transaction; the tenth locks the account for a while. */
export async function countFailure(tx: Scope, userId: string): Promise<void> {
  await tx.em.execute(
    `update "User" set "failedSignIns" = case when "failedSignIns" + 1 >= ? then 0 else "failedSignIns" + 1 end,
       "lockedUntil" = case when "failedSignIns" + 1 >= ? then ?::timestamptz else "lockedUntil" end
     where "id" = ?`,
    [failuresBeforeLock, failuresBeforeLock, new Date(tx.clock.now().getTime() + lockMs), userId],
  );
}

/** What somebody hears who tries too often. */
export function tooManyAttempts(): DomainError {
  return new DomainError(
    "exhausted",
    "too_many_sign_ins",
    "too many attempts; try again in a minute",
  );
}
