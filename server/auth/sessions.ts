import type { EntityManager } from "@mikro-orm/postgresql";
import { announce } from "../db/changes.ts";
import { newId } from "../db/columns.ts";
import type { AuthMethod } from "../db/enums.ts";
import type { Scope } from "../scope.ts";
import { Session } from "./session.entity.ts";
import { hashToken, newToken } from "./tokens.ts";

const idleMs = 24 * 3_600_000;
/** Writing each use would make every read a write; a minute is exact enough for 24 hours. */
const touchMs = 60_000;

/** What a person has to do before anything else is answered. */
export type Debt = "password" | "second_factor";

/** A live session and what is known of its user. */
export interface LiveSession {
  readonly sessionId: string;
  readonly userId: string;
  readonly email: string;
  readonly name: string | null;
  readonly isSuperAdmin: boolean;
  readonly debt: Debt | undefined;
}

/** Opens a session for a user, in the caller's transaction, and returns its token, once. */
export function createSession(
  scope: Scope,
  userId: string,
  userAgent: string | undefined,
  authMethod: AuthMethod = "LOCAL",
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
      authMethod,
      lastUsedAt: now,
      expiresAt: new Date(now.getTime() + idleMs),
      createdAt: now,
    },
    { persist: true },
  );
  return { token, sessionId: session.id };
}

/** Gives a session a new token, in the caller's transaction; the one before stops working. */
export async function rotateSession(scope: Scope, sessionId: string): Promise<string> {
  const token = newToken("vfs");
  await scope.em.nativeUpdate(Session, { id: sessionId }, { tokenHash: hashToken(token) });
  return token;
}

interface SessionRow {
  readonly sessionId: string;
  readonly userId: string;
  readonly email: string;
  readonly name: string | null;
  readonly isSuperAdmin: boolean;
  readonly mustChangePassword: boolean;
  readonly owesSecondFactor: boolean;
  readonly lastUsedAt: Date;
}

/** Whether user `u` has no second factor though a team of theirs requires one. */
export const owesSecondFactor = `(not u."totpEnabled" and exists (
    select 1 from "TeamMember" tm join "Team" tt on tt."id" = tm."teamId"
    where tm."userId" = u."id" and tt."requireSecondFactor"))`;

/** What a person owes, of what is known of them. */
export function debtOf(row: {
  readonly mustChangePassword: boolean;
  readonly owesSecondFactor: boolean;
}): Debt | undefined {
  if (row.mustChangePassword) return "password";
  return row.owesSecondFactor ? "second_factor" : undefined;
}

const sessionSelect = `select s."id" as "sessionId", s."lastUsedAt", u."id" as "userId", u."email", u."name",
    u."isSuperAdmin", u."mustChangePassword", s."authMethod" = 'LOCAL' and ${owesSecondFactor} as "owesSecondFactor"
  from "Session" s join "User" u on u."id" = s."userId"
  where s."expiresAt" > ? and u."lockedAt" is null`;

/** The session of a token, or undefined when it is unknown, expired, or its user is locked. */
export async function findSession(
  em: EntityManager,
  token: string,
  now: Date,
): Promise<LiveSession | undefined> {
  if (!token.startsWith("vfs_")) return undefined;
  const [row] = await em.execute<SessionRow[]>(`${sessionSelect} and s."tokenHash" = ?`, [
    now,
    hashToken(token),
  ]);
  if (row === undefined) return undefined;
  if (now.getTime() - row.lastUsedAt.getTime() > touchMs) {
    await em.nativeUpdate(
      Session,
      { id: row.sessionId },
      { lastUsedAt: now, expiresAt: new Date(now.getTime() + idleMs) },
    );
  }
  return toLive(row);
}

/** A session that lives, by its id; for streams, which check again and again. */
export async function findSessionById(
  em: EntityManager,
  id: string,
  now: Date,
): Promise<LiveSession | undefined> {
  const [row] = await em.execute<SessionRow[]>(`${sessionSelect} and s."id" = ?`, [now, id]);
  return row === undefined ? undefined : toLive(row);
}

function toLive(row: SessionRow): LiveSession {
  const { sessionId, userId, email, name, isSuperAdmin } = row;
  return { sessionId, userId, email, name, isSuperAdmin, debt: debtOf(row) };
}

/**
 * Ends the sessions of a user, in the caller's transaction, all but `except`. Their streams end within seconds, on
 * every replica (X2). Returns how many there were.
 */
export async function endSessions(scope: Scope, userId: string, except?: string): Promise<number> {
  const ended = await scope.em.nativeDelete(Session, {
    userId,
    ...(except !== undefined && { id: { $ne: except } }),
  });
  await announce(scope.em, { kind: "access", userId });
  return ended;
}

/** Forgets sessions whose time is over. */
export async function removeExpiredSessions(scope: Scope): Promise<number> {
  return scope.em.nativeDelete(Session, { expiresAt: { $lt: scope.clock.now() } });
}
