import { audit } from "../audit/audit.ts";
import type { Sealer } from "../crypto/sealer.ts";
import { announce } from "../db/changes.ts";
import { transact } from "../db/transaction.ts";
import { DomainError } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { confirmPassword, personOf, type PasswordDeps } from "./profile.ts";
import { endSessions } from "./sessions.ts";
import { countFailure, tooManyAttempts } from "./lockout.ts";
import {
  acceptedStep,
  hashBackupCode,
  newBackupCodes,
  newTotpSecret,
  totpUri,
  withoutBackupCode,
} from "./totp.ts";
import type { User } from "./user.entity.ts";
import { lockUser, refuseSelf } from "./users.ts";

/** What the use cases of the second factor need besides their scope. */
export interface SecondFactorDeps extends PasswordDeps {
  readonly sealer: Sealer;
}

const secretContext = (userId: string): string => `User.totpSecret/${userId}`;
const codesContext = (userId: string): string => `User.totpBackupCodes/${userId}`;

/**
 * Whether a code is right: one of the app, or a backup code. Uses it up, in the caller's transaction, which has
 * locked the user's row, so that one code never works twice, on whatever replica.
 */
export function useCode(
  sealer: Sealer,
  user: User,
  code: string,
  now: Date,
): "app" | "backup" | undefined {
  if (user.totpSecret == null) return undefined;
  const secret = sealer.open(secretContext(user.id), user.totpSecret).toString();
  const step = acceptedStep(secret, code, now, user.totpLastStep ?? undefined);
  if (step !== undefined) {
    user.totpLastStep = step;
    return "app";
  }
  const rest = withoutBackupCode(backupHashes(sealer, user), code);
  if (rest === undefined) return undefined;
  storeBackupHashes(sealer, user, rest);
  return "backup";
}

/** How many backup codes are left. */
export function backupCodesLeft(sealer: Sealer, user: User): number {
  return backupHashes(sealer, user).length;
}

function backupHashes(sealer: Sealer, user: User): string[] {
  if (user.totpBackupCodes == null) return [];
  return JSON.parse(
    sealer.open(codesContext(user.id), user.totpBackupCodes).toString(),
  ) as string[];
}

function storeBackupHashes(sealer: Sealer, user: User, hashes: readonly string[]): void {
  user.totpBackupCodes = sealer.seal(codesContext(user.id), JSON.stringify(hashes));
}

/** Makes a secret, which does nothing before it is confirmed by a code. */
export async function beginSecondFactor(
  scope: Scope,
  deps: SecondFactorDeps,
  password: string,
): Promise<{ secret: string; uri: string }> {
  const { userId, email } = personOf(scope);
  await confirmPassword(scope, deps, "current_password", password);
  const secret = newTotpSecret();
  await transact(scope, async (tx) => {
    const user = await lockUser(tx, userId);
    if (user.totpEnabled) {
      throw new DomainError(
        "precondition",
        "second_factor_on",
        "you have a second factor already: turn it off first",
      );
    }
    user.totpSecret = deps.sealer.seal(secretContext(userId), secret);
    user.totpLastStep = null;
    audit(tx, {
      action: "profile.second_factor_begun",
      entityType: "User",
      entityId: userId,
    });
  });
  return { secret, uri: totpUri(secret, email) };
}

/** Turns the second factor on, by a first code. Returns the backup codes, once. */
export async function confirmSecondFactor(
  scope: Scope,
  deps: SecondFactorDeps,
  code: string,
): Promise<string[]> {
  const codes = newBackupCodes();
  await withCode(scope, deps, code, async (tx, user) => {
    if (user.totpEnabled) {
      throw new DomainError("precondition", "second_factor_on", "it is on already");
    }
    user.totpEnabled = true;
    storeBackupHashes(deps.sealer, user, codes.map(hashBackupCode));
    audit(tx, {
      action: "profile.second_factor_enabled",
      entityType: "User",
      entityId: user.id,
    });
  });
  return codes;
}

/** Replaces the backup codes; the ones before stop working. */
export async function createBackupCodes(
  scope: Scope,
  deps: SecondFactorDeps,
  code: string,
): Promise<string[]> {
  const codes = newBackupCodes();
  await withCode(scope, deps, code, async (tx, user) => {
    refuseOff(user);
    storeBackupHashes(deps.sealer, user, codes.map(hashBackupCode));
    audit(tx, {
      action: "profile.backup_codes_created",
      entityType: "User",
      entityId: user.id,
    });
  });
  return codes;
}

/** Turns the second factor off, unless a team requires it. */
export async function disableSecondFactor(
  scope: Scope,
  deps: SecondFactorDeps,
  input: { readonly password: string; readonly code: string },
): Promise<void> {
  await confirmPassword(scope, deps, "current_password", input.password);
  await withCode(scope, deps, input.code, async (tx, user) => {
    refuseOff(user);
    const [team] = await tx.em.execute<{ name: string }[]>(
      `select t."name" from "TeamMember" m join "Team" t on t."id" = m."teamId"
       where m."userId" = ? and t."requireSecondFactor" limit 1`,
      [user.id],
    );
    if (team !== undefined) {
      throw new DomainError(
        "precondition",
        "second_factor_required",
        `the team ${team.name} requires a second factor`,
      );
    }
    forgetSecondFactor(user);
    audit(tx, {
      action: "profile.second_factor_disabled",
      entityType: "User",
      entityId: user.id,
    });
  });
}

/** A super admin takes the second factor from somebody who lost it; their sessions end. */
export async function resetSecondFactor(scope: Scope, id: string): Promise<void> {
  await transact(scope, async (tx) => {
    const user = await lockUser(tx, id);
    refuseSelf(tx, id, "take the second factor from");
    forgetSecondFactor(user);
    await tx.em.flush();
    await endSessions(tx, id);
    audit(tx, { action: "user.second_factor_reset", entityType: "User", entityId: id });
  });
}

function forgetSecondFactor(user: User): void {
  user.totpEnabled = false;
  user.totpSecret = null;
  user.totpBackupCodes = null;
  user.totpLastStep = null;
}

function refuseOff(user: User): void {
  if (user.totpEnabled) return;
  throw new DomainError("precondition", "second_factor_off", "you have no second factor");
}

/**
 * Does something that needs a right code of the acting person, in the transaction that uses the code up. A wrong
 * one counts as a failed sign-in and throws `invalid`.
 */
async function withCode(
  scope: Scope,
  { sealer, signIns }: SecondFactorDeps,
  code: string,
  work: (tx: Scope, user: User) => Promise<void>,
): Promise<void> {
  const { userId, email } = personOf(scope);
  const message = "is wrong or was used already";
  if (!signIns.take(`account:${email}`)) throw tooManyAttempts();
  const right = await transact(scope, async (tx) => {
    const user = await lockUser(tx, userId);
    const now = scope.clock.now();
    const locked = user.lockedUntil != null && user.lockedUntil > now;
    if (locked || useCode(sealer, user, code, now) === undefined) {
      await countFailure(tx, userId);
      audit(tx, {
        action: "profile.code_refused",
        entityType: "User",
        entityId: userId,
        metadata: { reason: locked ? "locked" : "wrong_code" },
      });
      return false;
    }
    await work(tx, user);
    await announce(tx.em, { kind: "access", userId });
    return true;
  });
  if (right) return;
  throw new DomainError("invalid", "code_wrong", `code ${message}`, {
    violations: [{ field: "code", message }],
  });
}
