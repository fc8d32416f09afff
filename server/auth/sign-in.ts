import { audit, type AuditEntry } from "../audit/audit.ts";
import type { Refusals } from "../audit/refusals.ts";
import type { Sealer } from "../crypto/sealer.ts";
import { announce } from "../db/changes.ts";
import { transact } from "../db/transaction.ts";
import { DomainError } from "../errors.ts";
import { limitKey } from "../rpc/client-address.ts";
import type { Scope } from "../scope.ts";
import { countFailure, tooManyAttempts } from "./lockout.ts";
import type { Passwords } from "./passwords.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import { useCode } from "./second-factor.ts";
import { Session } from "./session.entity.ts";
import { createSession } from "./sessions.ts";
import { User } from "./user.entity.ts";
import { lockUser } from "./users.ts";

/** What signing in needs besides its scope. */
export interface SignInDeps {
  readonly signIns: RateLimiter;
  readonly passwords: Passwords;
  readonly refusals: Refusals;
  readonly sealer: Sealer;
}

/** One answer to every cause, so that nothing can be learned from it (X1). */
function refused(): DomainError {
  return new DomainError("unauthenticated", "sign_in_refused", "e-mail or password is wrong");
}

/**
 * Signs in. Failures are counted in the database, so that all replicas lock alike; the audit tells the
 * reason, the caller never does. Each address has a budget, so that refusals cannot fill the audit (S13).
 */
export async function signIn(
  scope: Scope,
  { signIns: limiter, passwords, refusals, sealer }: SignInDeps,
  input: {
    readonly email: string;
    readonly password: string;
    /** Of the app, or a backup code; empty in the first step. */
    readonly code: string;
    readonly userAgent: string | undefined;
  },
): Promise<{ user: User; token: string }> {
  const email = input.email.trim().toLowerCase();
  const address = scope.actor.kind === "system" ? "" : (scope.actor.ipAddress ?? "");
  if (!limiter.take(`address:${limitKey(address)}`) || !limiter.take(`account:${email}`)) {
    throw tooManyAttempts();
  }
  const now = scope.clock.now();
  const user = await scope.em.findOne(User, { email });
  // Compared in every case: a locked account must take as long as a wrong password.
  const matches = await passwords.verify(input.password.slice(0, 1024), user?.passwordHash);
  const locked = user?.lockedAt != null || (user?.lockedUntil != null && user.lockedUntil > now);
  if (user === null || !matches || locked) {
    const reason = user === null ? "unknown_user" : locked ? "locked" : "wrong_password";
    await recordFailure(scope, refusals, email, user?.id, reason);
    throw refused();
  }
  if (user.totpEnabled && input.code.trim() === "") {
    throw new DomainError(
      "unauthenticated",
      "second_factor_needed",
      "enter the code of your authenticator app",
    );
  }
  const opened = await transact(scope, async (tx) => {
    const account = await lockUser(tx, user.id);
    const factor = account.totpEnabled ? useCode(sealer, account, input.code, now) : "none";
    if (factor === undefined) {
      await countFailure(tx, account.id);
      audit(tx, failureEntry(email, account.id, "wrong_code"));
      return undefined;
    }
    account.failedSignIns = 0;
    account.lockedUntil = null;
    account.lastSignInAt = now;
    // A session that the browser had before does not live on beside the new one.
    if (scope.actor.kind === "user" && scope.actor.apiToken === undefined) {
      await tx.em.nativeDelete(Session, { id: scope.actor.sessionId });
    }
    const { token, sessionId } = createSession(tx, account.id, input.userAgent);
    audit(withActor(tx, account, sessionId), {
      action: "auth.signed_in",
      entityType: "User",
      entityId: account.id,
      metadata: { secondFactor: factor },
    });
    return { user: account, token };
  });
  if (opened !== undefined) return opened;
  throw new DomainError(
    "unauthenticated",
    "second_factor_wrong",
    "the code is wrong or was used already",
  );
}

/** The same scope, as the user who has just signed in. */
export function withActor(scope: Scope, user: User, sessionId: string): Scope {
  const ipAddress = scope.actor.kind === "system" ? undefined : scope.actor.ipAddress;
  return {
    ...scope,
    actor: {
      kind: "user",
      userId: user.id,
      sessionId,
      email: user.email,
      name: user.name ?? undefined,
      isSuperAdmin: user.isSuperAdmin,
      ipAddress,
    },
  };
}

function failureEntry(email: string, userId: string | undefined, reason: string): AuditEntry {
  return {
    action: "auth.sign_in_failed",
    entityType: "User",
    entityId: userId ?? "",
    metadata: { email: email.slice(0, 200), reason },
  };
}

async function recordFailure(
  scope: Scope,
  refusals: Refusals,
  email: string,
  userId: string | undefined,
  reason: string,
): Promise<void> {
  const entry = failureEntry(email, userId, reason);
  if (reason !== "wrong_password" || userId === undefined) {
    // Names that nobody has can be made up without end: those rows are bounded.
    const address = scope.actor.kind === "system" ? "" : (scope.actor.ipAddress ?? "");
    await refusals.record(scope, `sign-in/${limitKey(address)}/${email.slice(0, 200)}`, entry);
    return;
  }
  await transact(scope, async (tx) => {
    await countFailure(tx, userId);
    audit(tx, entry);
  });
}

/** Ends the actor's session. Signing out without one succeeds too (X2). */
export async function signOut(scope: Scope): Promise<void> {
  const { actor } = scope;
  if (actor.kind !== "user") return;
  await transact(scope, async (tx) => {
    await tx.em.nativeDelete(Session, { id: actor.sessionId });
    await announce(tx.em, { kind: "access", userId: actor.userId });
    audit(tx, { action: "auth.signed_out", entityType: "User", entityId: actor.userId });
  });
}
