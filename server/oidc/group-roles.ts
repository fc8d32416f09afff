import type { Role } from "../db/enums.ts";
import { includesRole } from "../teams/access.ts";

/** A group of the provider gives a role in a team. */
export interface GroupMapping {
  readonly group: string;
  readonly teamId: string;
  readonly role: Role;
}

/**
 * The roles that somebody's groups give, by team: the highest wins. Who is in no mapped group gets the default role in
 * the default team, if there is one.
 */
export function rolesOf(
  groups: readonly string[],
  mappings: readonly GroupMapping[],
  fallback: { readonly teamId: string; readonly role: Role } | undefined,
): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>();
  for (const { group, teamId, role } of mappings) {
    if (!groups.includes(group)) continue;
    const before = roles.get(teamId);
    if (before === undefined || includesRole(role, before)) roles.set(teamId, role);
  }
  if (roles.size === 0 && fallback !== undefined) roles.set(fallback.teamId, fallback.role);
  return roles;
}

/** A claim that lists groups: a list of texts, or one text. */
export function groupsOf(claim: unknown): string[] {
  if (typeof claim === "string") return [claim];
  if (!Array.isArray(claim)) return [];
  return claim.filter((group): group is string => typeof group === "string").slice(0, 1000);
}
