import { Environment } from "../environments/environment.entity.ts";
import { VectorNode } from "../fleet/vector-node.entity.ts";
import { Pipeline } from "../pipelines/pipeline.entity.ts";
import type { Role } from "../db/enums.ts";
import { notFound } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { TeamMember } from "./team-member.entity.ts";
import { Team } from "./team.entity.ts";

/** What an id in a request leads to a team from. */
export type ResourceKind = "team" | "environment" | "node" | "pipeline";

const rank: Readonly<Record<Role, number>> = { VIEWER: 1, EDITOR: 2, ADMIN: 3 };

/** Whether a role includes another. */
export function includesRole(role: Role, least: Role): boolean {
  return rank[role] >= rank[least];
}

/** The team that owns a resource. Throws `not_found` when there is none. */
export async function teamOf(
  scope: Scope,
  kind: ResourceKind,
  id: string,
): Promise<{ teamId: string; environmentId: string | null }> {
  const { em } = scope;
  switch (kind) {
    case "team": {
      const team = await em.findOne(Team, { id });
      if (team === null) throw notFound(kind, id);
      return { teamId: team.id, environmentId: null };
    }
    case "environment": {
      const environment = await em.findOne(Environment, { id, isSystem: false });
      if (environment?.teamId == null) throw notFound(kind, id);
      return { teamId: environment.teamId, environmentId: id };
    }
    default: {
      const owner =
        kind === "node"
          ? await em.findOne(VectorNode, { id }, { fields: ["environmentId"] })
          : await em.findOne(Pipeline, { id }, { fields: ["environmentId"] });
      if (owner === null) throw notFound(kind, id);
      const { teamId } = await teamOf(scope, "environment", owner.environmentId);
      return { teamId, environmentId: owner.environmentId };
    }
  }
}

/**
 * The actor's role in a team; super admins are admins everywhere. A token has its own role in its own team, and never
 * more than the person has who made it.
 */
export async function roleIn(scope: Scope, teamId: string): Promise<Role | undefined> {
  const { actor } = scope;
  if (actor.kind !== "user") return undefined;
  const { apiToken } = actor;
  if (apiToken !== undefined) return apiToken.teamId === teamId ? apiToken.role : undefined;
  if (actor.isSuperAdmin) return "ADMIN";
  const member = await scope.em.findOne(TeamMember, { userId: actor.userId, teamId });
  return member?.role;
}

/** The teams that the actor is an admin of. */
export async function adminTeams(scope: Scope): Promise<readonly string[] | "all"> {
  const { actor } = scope;
  if (actor.kind !== "user") return [];
  const { apiToken } = actor;
  if (apiToken !== undefined) return apiToken.role === "ADMIN" ? [apiToken.teamId] : [];
  if (actor.isSuperAdmin) return "all";
  const members = await scope.em.find(TeamMember, { userId: actor.userId, role: "ADMIN" });
  return members.map(({ teamId }) => teamId);
}
