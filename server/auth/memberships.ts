import type { EntityManager } from "@mikro-orm/postgresql";
import type { Role } from "../db/enums.ts";

/** A person's place in a team. */
export interface MembershipView {
  readonly userId: string;
  readonly teamId: string;
  readonly teamName: string;
  readonly role: Role;
}

/** The memberships of some users, by the team's name. */
export async function membershipsOf(
  em: EntityManager,
  userIds: readonly string[],
): Promise<MembershipView[]> {
  if (userIds.length === 0) return [];
  return em.execute<MembershipView[]>(
    `select m."userId", t."id" as "teamId", t."name" as "teamName", m."role"
     from "TeamMember" m join "Team" t on t."id" = m."teamId"
     where m."userId" in (${userIds.map(() => "?").join(", ")}) order by lower(t."name"), t."id"`,
    [...userIds],
  );
}
