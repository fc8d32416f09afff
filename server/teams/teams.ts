import { audit, diffOf } from "../audit/audit.ts";
import { announce } from "../db/changes.ts";
import { newId } from "../db/columns.ts";
import type { Role } from "../db/enums.ts";
import { freshView, transact } from "../db/transaction.ts";
import { DomainError, FieldViolations, notFound } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { TeamMember } from "./team-member.entity.ts";
import { Team } from "./team.entity.ts";

/** A team as one of its members sees it. */
export interface TeamView {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly memberCount: number;
  readonly environmentCount: number;
  readonly requireSecondFactor: boolean;
  readonly createdAt: Date;
}

/** The actor's teams by name and id, after the given place. Super admins are in all, a token is in its own. */
export async function listTeams(
  scope: Scope,
  place: {
    readonly after: { readonly name: string; readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<TeamView[]> {
  return readTeams(scope, place);
}

async function readTeams(
  scope: Scope,
  {
    id,
    after,
    limit,
  }: {
    readonly id?: string;
    readonly after?: { readonly name: string; readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<TeamView[]> {
  const { actor } = scope;
  if (actor.kind !== "user") return [];
  const token = actor.apiToken;
  const rows = await scope.em.execute<(TeamView & { memberRole: Role | null })[]>(
    `select t."id", t."name", t."requireSecondFactor", m."role" as "memberRole", t."createdAt",
       (select count(*)::int from "TeamMember" x where x."teamId" = t."id") as "memberCount",
       (select count(*)::int from "Environment" e where e."teamId" = t."id") as "environmentCount"
     from "Team" t left join "TeamMember" m on m."teamId" = t."id" and m."userId" = ?
     where (? or m."id" is not null) and (? or t."id" = ?)
       and (? or (lower(t."name"), t."id") > (lower(?), ?))
     order by lower(t."name"), t."id" limit ?`,
    [
      actor.userId,
      actor.isSuperAdmin || token !== undefined,
      id === undefined && token === undefined,
      id ?? token?.teamId ?? "",
      after === undefined,
      after?.name ?? "",
      after?.id ?? "",
      limit,
    ],
  );
  return rows
    .filter((row) => token === undefined || row.id === token.teamId)
    .map(({ memberRole, ...row }) => ({
      ...row,
      role: token?.role ?? (actor.isSuperAdmin ? "ADMIN" : (memberRole ?? "VIEWER")),
    }));
}

async function viewTeam(scope: Scope, id: string): Promise<TeamView> {
  const [team] = await readTeams({ ...scope, em: freshView(scope) }, { id, limit: 1 });
  if (team === undefined) throw notFound("team", id);
  return team;
}

/** Creates an empty team. */
export async function createTeam(
  scope: Scope,
  input: { readonly name: string },
): Promise<TeamView> {
  const violations = new FieldViolations();
  const name = violations.text("name", input.name, 1, 100);
  violations.throwIfAny();
  const id = newId();
  await transact(scope, async (tx) => {
    tx.em.create(Team, { id, name });
    const diff = diffOf({}, { name });
    audit(tx, { action: "team.created", entityType: "Team", entityId: id, teamId: id, diff });
  });
  return viewTeam(scope, id);
}

export interface TeamChange {
  readonly id: string;
  readonly name?: string | undefined;
  readonly requireSecondFactor?: boolean | undefined;
}

export async function updateTeam(scope: Scope, change: TeamChange): Promise<TeamView> {
  const violations = new FieldViolations();
  const name = change.name === undefined ? undefined : violations.text("name", change.name, 1, 100);
  violations.throwIfAny();
  await transact(scope, async (tx) => {
    const team = await lockTeam(tx, change.id);
    const before = { name: team.name, requireSecondFactor: team.requireSecondFactor };
    const after = {
      name: name ?? before.name,
      requireSecondFactor: change.requireSecondFactor ?? before.requireSecondFactor,
    };
    tx.em.assign(team, after);
    if (after.requireSecondFactor !== before.requireSecondFactor) {
      const members = await tx.em.find(TeamMember, { teamId: team.id });
      for (const { userId } of members) await announce(tx.em, { kind: "access", userId });
    }
    audit(tx, {
      action: "team.updated",
      entityType: "Team",
      entityId: team.id,
      teamId: team.id,
      diff: diffOf(before, after),
    });
  });
  return viewTeam(scope, change.id);
}

/** Deletes a team that has no environments and is not the last one. */
export async function deleteTeam(scope: Scope, id: string): Promise<void> {
  await transact(scope, async (tx) => {
    // All of them are locked, so that the two last ones cannot go at once.
    const teams = await tx.em.execute<{ id: string }[]>(
      `select "id" from "Team" order by "id" for update`,
    );
    if (!teams.some((team) => team.id === id)) throw notFound("team", id);
    if (teams.length === 1) {
      throw new DomainError("precondition", "last_team", "the last team cannot be deleted");
    }
    const [owned] = await tx.em.execute<{ environments: number }[]>(
      `select count(*)::int as environments from "Environment" where "teamId" = ?`,
      [id],
    );
    if ((owned?.environments ?? 0) > 0) {
      throw new DomainError(
        "precondition",
        "team_has_environments",
        `the team has ${owned?.environments} environments: delete them first`,
      );
    }
    const team = await tx.em.findOneOrFail(Team, { id });
    const members = await tx.em.find(TeamMember, { teamId: id });
    audit(tx, {
      action: "team.deleted",
      entityType: "Team",
      entityId: id,
      teamId: id,
      metadata: { name: team.name, members: members.length },
    });
    await tx.em.nativeDelete(Team, { id });
    for (const { userId } of members) await announce(tx.em, { kind: "access", userId });
  });
}

/** Reads a team that nobody else changes or deletes before the transaction ends. */
export async function lockTeam(tx: Scope, id: string): Promise<Team> {
  await tx.em.execute(`select 1 from "Team" where "id" = ? for update`, [id]);
  const team = await tx.em.findOne(Team, { id });
  if (team === null) throw notFound("team", id);
  return team;
}
