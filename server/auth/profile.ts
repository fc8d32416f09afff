import { audit, diffOf } from "../audit/audit.ts";
import { announce } from "../db/changes.ts";
import { transact } from "../db/transaction.ts";
import { DomainError, FieldViolations, notFound } from "../errors.ts";
import type { Actor, Scope } from "../scope.ts";
import { Session } from "./session.entity.ts";
import { endSessions, rotateSession } from "./sessions.ts";
import { countFailure, tooManyAttempts } from "./lockout.ts";
import type { Passwords } from "./passwords.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import { User } from "./user.entity.ts";
import { checkPassword, lockUser } from "./users.ts";

/** What asking for a password needs besides its scope. */
export interface PasswordDeps {
  readonly passwords: Passwords;
  /** Of guesses. */
  readonly signIns: RateLimiter;
}

/** The person who acts. Throws `forbidden` when it is a program, by a token. */
export function personOf(scope: Scope): Extract<Actor, { kind: "user" }> {
  if (scope.actor.kind === "user" && scope.actor.apiToken === undefined) return scope.actor;
  throw new DomainError("forbidden", "not_allowed", "only people may do this, and no API tokens");
}

/** Changes one's own name. */
export async function updateProfile(scope: Scope, input: { readonly name: string }): Promise<void> {
  const violations = new FieldViolations();
  const name = violations.text("name", input.name, 1, 100);
  violations.throwIfAny();
  const { userId } = personOf(scope);
  await transact(scope, async (tx) => {
    const user = await lockUser(tx, userId);
    const diff = diffOf({ name: user.name }, { name });
    user.name = name;
    audit(tx, { action: "profile.updated", entityType: "User", entityId: userId, diff });
  });
}

/**
 * Replaces one's own password. All other sessions end and this one is replaced, so that a stolen token dies with the
 * old password. Guessing is limited as at the sign-in, because a stolen session must not become a known password.
 */
export async function changePassword(
  scope: Scope,
  deps: PasswordDeps,
  input: {
    readonly currentPassword: string;
    readonly newPassword: string;
  },
): Promise<{ token: string }> {
  const { userId, sessionId } = personOf(scope);
  const violations = new FieldViolations();
  checkPassword(violations, "new_password", input.newPassword);
  if (input.newPassword === input.currentPassword) {
    violations.add("new_password", "must be another than the current one");
  }
  violations.throwIfAny();
  await confirmPassword(scope, deps, "current_password", input.currentPassword);
  const passwordHash = await deps.passwords.hash(input.newPassword);
  return transact(scope, async (tx) => {
    const user = await lockUser(tx, userId);
    tx.em.assign(user, { passwordHash, mustChangePassword: false });
    await tx.em.flush();
    const others = await endSessions(tx, userId, sessionId);
    const token = await rotateSession(tx, sessionId);
    audit(tx, {
      action: "profile.password_changed",
      entityType: "User",
      entityId: userId,
      metadata: { otherSessionsEnded: others },
    });
    return { token };
  });
}

/** Throws `invalid` unless this is the acting person's password. Failures count towards the lock. */
export async function confirmPassword(
  scope: Scope,
  { signIns: limiter, passwords }: PasswordDeps,
  field: string,
  password: string,
): Promise<void> {
  const { userId, email } = personOf(scope);
  if (!limiter.take(`account:${email}`)) throw tooManyAttempts();
  const user = await scope.em.findOneOrFail(User, { id: userId });
  const locked = user.lockedUntil != null && user.lockedUntil > scope.clock.now();
  const matches = await passwords.verify(password.slice(0, 1024), user.passwordHash);
  if (matches && !locked) return;
  await transact(scope, async (tx) => {
    await countFailure(tx, userId);
    audit(tx, {
      action: "profile.password_refused",
      entityType: "User",
      entityId: userId,
      metadata: { reason: locked ? "locked" : "wrong_password" },
    });
  });
  const message = "is not your current password";
  throw new DomainError("invalid", "password_wrong", `${field} ${message}`, {
    violations: [{ field, message }],
  });
}

/** The acting person's sessions, the newest use first, after the given place. */
export async function listSessions(
  scope: Scope,
  place: readonly [usedAtMs: number, id: string] | undefined,
  limit: number,
): Promise<Session[]> {
  const { userId } = personOf(scope);
  const lastUsedAt = new Date(place?.[0] ?? 0);
  const below = {
    $or: [{ lastUsedAt: { $lt: lastUsedAt } }, { lastUsedAt, id: { $lt: place?.[1] ?? "" } }],
  };
  return scope.em.find(
    Session,
    { userId, expiresAt: { $gt: scope.clock.now() }, ...(place !== undefined && below) },
    { orderBy: { lastUsedAt: "desc", id: "desc" }, limit },
  );
}

/** Ends one of the acting person's sessions. Somebody else's is not found. */
export async function revokeSession(scope: Scope, id: string): Promise<void> {
  const { userId } = personOf(scope);
  await transact(scope, async (tx) => {
    const ended = await tx.em.nativeDelete(Session, { id, userId });
    if (ended === 0) throw notFound("session", id);
    audit(tx, {
      action: "profile.session_revoked",
      entityType: "Session",
      entityId: id,
    });
    await announce(tx.em, { kind: "access", userId });
  });
}
