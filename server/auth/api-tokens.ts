import type { EntityManager } from "@mikro-orm/postgresql";
import { audit, diffOf } from "../audit/audit.ts";
import { announce } from "../db/changes.ts";
import { newId } from "../db/columns.ts";
import type { Role } from "../db/enums.ts";
import { transact } from "../db/transaction.ts";
import { DomainError, FieldViolations, notFound } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { includesRole, roleIn } from "../teams/access.ts";
import { ApiToken } from "./api-token.entity.ts";
import { personOf } from "./profile.ts";
import { debtOf, owesSecondFactor, type Debt } from "./sessions.ts";
import { hashToken, newToken } from "./tokens.ts";

const touchMs = 60_000;
const maximumTokens = 200;

/** A token as people see it. */
export interface ApiTokenView {
  readonly id: string;
  readonly name: string;
  readonly teamId: string;
  readonly role: Role;
  readonly hint: string;
  readonly userId: string;
  readonly userEmail: string;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly createdAt: Date;
}

/** A token that works, and the person it acts for. */
export interface LiveApiToken {
  readonly id: string;
  readonly name: string;
  readonly teamId: string;
  /** Its own role, or that of its maker where that is less. */
  readonly role: Role;
  readonly userId: string;
  readonly email: string;
  readonly userName: string | null;
  readonly debt: Debt | undefined;
}

interface LiveRow {
  readonly id: string;
  readonly name: string;
  readonly teamId: string;
  readonly role: Role;
  readonly lastUsedAt: Date | null;
  readonly userId: string;
  readonly email: string;
  readonly userName: string | null;
  readonly isSuperAdmin: boolean;
  readonly mustChangePassword: boolean;
  readonly owesSecondFactor: boolean;
  readonly memberRole: Role | null;
}

const liveSelect = `select a."id", a."name", a."teamId", a."role", a."lastUsedAt", u."id" as "userId", u."email",
    u."name" as "userName", u."isSuperAdmin", u."mustChangePassword",
    ${owesSecondFactor} as "owesSecondFactor", m."role" as "memberRole"
  from "ApiToken" a join "User" u on u."id" = a."userId"
  left join "TeamMember" m on m."userId" = u."id" and m."teamId" = a."teamId"
  where (a."expiresAt" is null or a."expiresAt" > ?) and u."lockedAt" is null`;

/**
 * The token, or undefined when it is unknown or expired, its maker is locked or has left the team: a leaver's tokens
 * leave too (X2).
 */
export async function findApiToken(
  em: EntityManager,
  by: { readonly token: string } | { readonly id: string },
  now: Date,
): Promise<LiveApiToken | undefined> {
  const [column, value] = "id" in by ? ["id", by.id] : ["tokenHash", hashToken(by.token)];
  const [row] = await em.execute<LiveRow[]>(`${liveSelect} and a."${column}" = ?`, [now, value]);
  if (row === undefined) return undefined;
  const highest = row.isSuperAdmin ? "ADMIN" : row.memberRole;
  if (highest === null) return undefined;
  if (row.lastUsedAt === null || now.getTime() - row.lastUsedAt.getTime() > touchMs) {
    await em.nativeUpdate(ApiToken, { id: row.id }, { lastUsedAt: now });
  }
  const { id, name, teamId, userId, email, userName } = row;
  return {
    id,
    name,
    teamId,
    role: includesRole(highest, row.role) ? row.role : highest,
    userId,
    email,
    userName,
    debt: debtOf(row),
  };
}

const tokenQuery = `select a."id", a."name", a."teamId", a."role", a."hint", a."userId",
    u."email" as "userEmail", a."expiresAt", a."lastUsedAt", a."createdAt"
  from "ApiToken" a join "User" u on u."id" = a."userId"`;

/** A team's tokens, the newest first, after the given place: all of them for its admins, one's own for others. */
export async function listApiTokens(
  scope: Scope,
  teamId: string,
  place: readonly [createdAtMs: number, id: string] | undefined,
  limit: number,
): Promise<ApiTokenView[]> {
  const { userId } = personOf(scope);
  const all = (await roleIn(scope, teamId)) === "ADMIN";
  return scope.em.execute<ApiTokenView[]>(
    `${tokenQuery} where a."teamId" = ? and (? or a."userId" = ?)
       and (? or (a."createdAt", a."id") < (?, ?))
     order by a."createdAt" desc, a."id" desc limit ?`,
    [teamId, all, userId, place === undefined, new Date(place?.[0] ?? 0), place?.[1] ?? "", limit],
  );
}

/** Makes a token, which is returned once, with at most the role of its maker. */
export async function createApiToken(
  scope: Scope,
  input: {
    readonly teamId: string;
    readonly name: string;
    readonly role: Role;
    readonly expiresAt: Date | undefined;
  },
): Promise<{ view: ApiTokenView; token: string }> {
  const { userId } = personOf(scope);
  const { teamId, role, expiresAt } = input;
  const now = scope.clock.now();
  const violations = new FieldViolations();
  const name = violations.text("name", input.name, 1, 100);
  if (expiresAt !== undefined && expiresAt <= now) {
    violations.add("expire_time", "must be in the future");
  }
  const own = await roleIn(scope, teamId);
  if (own === undefined || !includesRole(own, role)) {
    violations.add("role", "must not be more than your own role in the team");
  }
  violations.throwIfAny();
  const id = newId();
  const token = newToken("vfa");
  await transact(scope, async (tx) => {
    const count = await tx.em.count(ApiToken, { teamId });
    if (count >= maximumTokens) {
      throw new DomainError(
        "precondition",
        "too_many_tokens",
        `the team has ${maximumTokens} tokens: revoke some first`,
      );
    }
    tx.em.create(ApiToken, {
      id,
      name,
      teamId,
      userId,
      role,
      tokenHash: hashToken(token),
      hint: token.slice(0, 8),
      expiresAt: expiresAt ?? null,
      createdAt: now,
    });
    audit(tx, {
      action: "api_token.created",
      entityType: "ApiToken",
      entityId: id,
      teamId,
      diff: diffOf({}, { name, role, expiresAt: expiresAt?.toISOString() }),
    });
  });
  const [view] = await scope.em.execute<ApiTokenView[]>(`${tokenQuery} where a."id" = ?`, [id]);
  if (view === undefined) throw notFound("api_token", id);
  return { view, token };
}

/** Revokes a token of one's own, or any of the team for its admins. Its streams end within seconds. */
export async function revokeApiToken(scope: Scope, teamId: string, id: string): Promise<void> {
  const { userId } = personOf(scope);
  const all = (await roleIn(scope, teamId)) === "ADMIN";
  await transact(scope, async (tx) => {
    const token = await tx.em.findOne(ApiToken, { id, teamId, ...(!all && { userId }) });
    if (token === null) throw notFound("api_token", id);
    audit(tx, {
      action: "api_token.revoked",
      entityType: "ApiToken",
      entityId: id,
      teamId,
      metadata: { name: token.name, role: token.role },
    });
    await announce(tx.em, { kind: "access", userId: token.userId });
    tx.em.remove(token);
  });
}
