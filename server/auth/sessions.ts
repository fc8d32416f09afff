import type { EntityManager } from "@mikro-orm/postgresql";
import { newId } from "../db/columns.ts";
import type { Scope } from "../scope.ts";
import { Session } from "./session.entity.ts";
import { hashToken, newToken } from "./tokens.ts";
import { User } from "./user.entity.ts";

const idleMs = 24 * 3_600_000;
/** Writing each use would make every read a write; a minute is exact enough for 24 hours. */
const touchMs = 60_000;

/** Opens a session for a user, in the caller's transaction, and returns its token, once. */
export function createSession(
  scope: Scope,
  userId: string,
  userAgent: string | undefined,
): { token: string; sessionId: string } {
  const token = newToken("vfs");
  const now = scope.clock.now();
  const session = scope.em.create(
    Session,
    {
      id: newId(),
      userId,
      tokenHash: hashToken(token),
      ipAddress: scope.actor.kind === "system" ? null : (scope.actor.ipAddress ?? null),
      userAgent: userAgent?.slice(0, 300) ?? null,
      lastUsedAt: now,
      expiresAt: new Date(now.getTime() + idleMs),
      createdAt: now,
    },
    { persist: true },
  );
  return { token, sessionId: session.id };
}

/** The session and user of a token, or undefined when it is unknown, expired, or its user is locked. */
export async function findSession(
  em: EntityManager,
  token: string,
  now: Date,
): Promise<{ session: Session; user: User } | undefined> {
  if (!token.startsWith("vfs_")) return undefined;
  const session = await em.findOne(Session, { tokenHash: hashToken(token) });
  if (session === null || session.expiresAt <= now) return undefined;
  const user = await em.findOne(User, { id: session.userId });
  if (user === null || user.lockedAt != null) return undefined;
  if (now.getTime() - session.lastUsedAt.getTime() > touchMs) {
    await em.nativeUpdate(
      Session,
      { id: session.id },
      { lastUsedAt: now, expiresAt: new Date(now.getTime() + idleMs) },
    );
  }
  return { session, user };
}

/** Forgets sessions whose time is over. */
export async function removeExpiredSessions(scope: Scope): Promise<number> {
  return scope.em.nativeDelete(Session, { expiresAt: { $lt: scope.clock.now() } });
}

/** Whether a session still lives, and its user is not locked. */
export async function findSessionById(em: EntityManager, id: string, now: Date): Promise<boolean> {
  const session = await em.findOne(Session, { id });
  if (session === null || session.expiresAt <= now) return false;
  const user = await em.findOne(User, { id: session.userId });
  return user !== null && user.lockedAt == null;
}
