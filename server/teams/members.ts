import { audit, diffOf } from "../audit/audit.ts";
import { endSessions } from "../auth/sessions.ts";
import { User } from "../auth/user.entity.ts";
import { announce } from "../db/changes.ts";
import { newId } from "../db/columns.ts";
import type { Role } from "../db/enums.ts";
import { transact } from "../db/transaction.ts";
import { DomainError, FieldViolations, notFound } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { TeamMember } from "./team-member.entity.ts";
import { lockTeam } from "./teams.ts";

/** A person in a team. */
export interface MemberView {
  readonly userId: string;
  readonly email: string;
  readonly name: string | null;
  readonly role: Role;
  readonly locked: boolean;
  readonly secondFactor: boolean;
  readonly createdAt: Date;
}

const memberQuery = `select u."id" as "userId", u."email", u."name", m."role",
    u."lockedAt" is not null as "locked", u."totpEnabled" as "secondFactor", m."createdAt"
  from "TeamMember" m join "User" u on u."id" = m."userId"`;

/** The members of a team by e-mail, after the given one. */
export async function listMembers(
  scope: Pick<Scope, "em">,
  teamId: string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<MemberView[]> {
  return scope.em.execute<MemberView[]>(
    `${memberQuery} where m."teamId" = ? and (? or u."email" > ?) order by u."email" limit ?`,
    [teamId, after === undefined, after ?? "", limit],
  );
}

async function viewMember(scope: Scope, teamId: string, userId: string): Promise<MemberView> {
  const [member] = await scope.em.execute<MemberView[]>(
    `${memberQuery} where m."teamId" = ? and u."id" = ?`,
    [teamId, userId],
  );
  if (member === undefined) throw notFound("member", userId);
  return member;
}

/** Adds a person who has an account. */
export async function addMember(
  scope: Scope,
  input: { readonly teamId: string; readonly email: string; readonly role: Role },
): Promise<MemberView> {
  const violations = new FieldViolations();
  const email = violations.text("email", input.email, 3, 254).toLowerCase();
  violations.throwIfAny();
  const { teamId, role } = input;
  const userId = await transact(scope, async (tx) => {
    await lockTeam(tx, teamId);
    const user = await tx.em.findOne(User, { email });
    if (user === null) {
      const message = "belongs to no account: ask a super admin to create one";
      throw new DomainError("invalid", "user_not_found", `${email} ${message}`, {
        violations: [{ field: "email", message }],
      });
    }
    const existing = await tx.em.findOne(TeamMember, { teamId, userId: user.id });
    if (existing !== null) {
      throw new DomainError("conflict", "already_member", `${email} is in the team already`);
    }
    tx.em.create(TeamMember, { id: newId(), teamId, userId: user.id, role });
    audit(tx, {
      action: "team.member_added",
      entityType: "User",
      entityId: user.id,
      teamId,
      diff: diffOf({}, { role }),
      metadata: { email },
    });
    return user.id;
  });
  return viewMember(scope, teamId, userId);
}

/** Changes a member's role and ends their sessions, so that they sign in with the new one. */
export async function updateMember(
  scope: Scope,
  input: { readonly teamId: string; readonly userId: string; readonly role: Role },
): Promise<MemberView> {
  const { teamId, userId, role } = input;
  await transact(scope, async (tx) => {
    await lockTeam(tx, teamId);
    const member = await findMember(tx, teamId, userId);
    refuseSelf(tx, userId, "change your own role");
    const diff = diffOf({ role: member.role }, { role });
    member.role = role;
    await tx.em.flush();
    if (diff["role"] !== undefined) await endSessions(tx, userId);
    audit(tx, {
      action: "team.member_updated",
      entityType: "User",
      entityId: userId,
      teamId,
      diff,
    });
  });
  return viewMember(scope, teamId, userId);
}

/** Takes a person out of a team. */
export async function removeMember(
  scope: Scope,
  input: { readonly teamId: string; readonly userId: string },
): Promise<void> {
  const { teamId, userId } = input;
  await transact(scope, async (tx) => {
    await lockTeam(tx, teamId);
    const member = await findMember(tx, teamId, userId);
    refuseSelf(tx, userId, "remove yourself");
    audit(tx, {
      action: "team.member_removed",
      entityType: "User",
      entityId: userId,
      teamId,
      diff: { role: { before: member.role, after: null } },
    });
    tx.em.remove(member);
    await announce(tx.em, { kind: "access", userId });
  });
}

async function findMember(tx: Scope, teamId: string, userId: string): Promise<TeamMember> {
  const member = await tx.em.findOne(TeamMember, { teamId, userId });
  if (member === null) throw notFound("member", userId);
  return member;
}

function refuseSelf(scope: Scope, userId: string, what: string): void {
  const { actor } = scope;
  if (actor.kind !== "user" || actor.userId !== userId) return;
  throw new DomainError("precondition", "not_yourself", `you cannot ${what}: ask another admin`);
}
