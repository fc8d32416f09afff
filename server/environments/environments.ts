import { audit } from "../audit/audit.ts";
import { hashToken, newToken } from "../auth/tokens.ts";
import { announce } from "../db/changes.ts";
import { newId } from "../db/columns.ts";
import type { Role } from "../db/enums.ts";
import { transact } from "../db/transaction.ts";
import { unlessTaken } from "../db/unique.ts";
import { DomainError, FieldViolations, notFound } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { Environment } from "./environment.entity.ts";

/** An environment with what people see beside it. */
export interface EnvironmentView {
  readonly id: string;
  readonly name: string;
  readonly teamId: string;
  readonly teamName: string;
  readonly role: Role;
  readonly enrollmentTokenHint: string | null;
  readonly createdAt: Date;
  readonly nodeCount: number;
  readonly pipelineCount: number;
  readonly fencedNodeCount: number;
}

/** The environments of the actor's teams, by name, after the given place. */
export async function listEnvironments(
  scope: Scope,
  after: { readonly name: string; readonly id: string } | undefined,
  limit: number,
): Promise<EnvironmentView[]> {
  return after === undefined
    ? readEnvironments(scope, "true", [], limit)
    : readEnvironments(scope, `(lower(e."name"), e."id") > (?, ?)`, [after.name, after.id], limit);
}

async function readEnvironments(
  scope: Scope,
  condition: string,
  parameters: readonly string[],
  limit: number,
): Promise<EnvironmentView[]> {
  const { actor } = scope;
  if (actor.kind !== "user") return [];
  const { apiToken } = actor;
  const fixedRole = apiToken?.role ?? (actor.isSuperAdmin ? "ADMIN" : null);
  return scope.em.execute<EnvironmentView[]>(
    `select e."id", e."name", e."teamId", t."name" as "teamName", e."enrollmentTokenHint", e."createdAt",
       coalesce(?::text, m."role"::text) as "role",
       (select count(*)::int from "VectorNode" n where n."environmentId" = e."id") as "nodeCount",
       (select count(*)::int from "VectorNode" n
         where n."environmentId" = e."id" and n."fenced") as "fencedNodeCount",
       (select count(*)::int from "Pipeline" p
         where p."environmentId" = e."id" and not p."isSystem") as "pipelineCount"
     from "Environment" e
     join "Team" t on t."id" = e."teamId"
     left join "TeamMember" m on m."teamId" = t."id" and m."userId" = ?
     where not e."isSystem" and (? or m."id" is not null) and (? or t."id" = ?) and ${condition}
     order by lower(e."name"), e."id" limit ?`,
    [
      fixedRole,
      actor.userId,
      fixedRole !== null,
      apiToken === undefined,
      apiToken?.teamId ?? "",
      ...parameters,
      limit,
    ],
  );
}

export async function getEnvironment(scope: Scope, id: string): Promise<EnvironmentView> {
  const [found] = await readEnvironments(scope, `e."id" = ?`, [id], 1);
  if (found === undefined) throw notFound("environment", id);
  return found;
}

/** Creates an environment. Throws `conflict` when the team has one of that name. */
export async function createEnvironment(
  scope: Scope,
  input: { readonly teamId: string; readonly name: string },
): Promise<EnvironmentView> {
  const violations = new FieldViolations();
  const name = violations.text("name", input.name, 1, 100);
  violations.throwIfAny();
  const id = await transact(scope, async (tx) => addEnvironment(tx, input.teamId, name));
  return getEnvironment(scope, id);
}

/** Adds an environment in the caller's transaction and returns its id. */
export async function addEnvironment(scope: Scope, teamId: string, name: string): Promise<string> {
  const environment = scope.em.create(Environment, {
    id: newId(),
    name,
    teamId,
    createdAt: scope.clock.now(),
  });
  audit(scope, {
    action: "environment.created",
    entityType: "Environment",
    entityId: environment.id,
    teamId,
    environmentId: environment.id,
    metadata: { name },
  });
  await unlessTaken(
    () => scope.em.flush(),
    (cause) =>
      new DomainError(
        "conflict",
        "environment_name_taken",
        `the team already has an environment named ${name}`,
        { cause },
      ),
  );
  return environment.id;
}

/** How much of an enrollment token people see: its prefix and four characters. */
export const tokenHintLength = 8;

/** Replaces the enrollment token. The token is returned once; only its hash is kept. */
export async function createEnrollmentToken(scope: Scope, environmentId: string): Promise<string> {
  const token = newToken("vfe");
  await transact(scope, async (tx) => {
    const environment = await tx.em.findOneOrFail(Environment, { id: environmentId });
    environment.enrollmentTokenHash = hashToken(token);
    environment.enrollmentTokenHint = token.slice(0, tokenHintLength);
    audit(tx, {
      action: "environment.enrollment_token_created",
      entityType: "Environment",
      entityId: environmentId,
      teamId: environment.teamId ?? null,
      environmentId,
      // What people see of it too: tells later whose a refused token was.
      metadata: { hint: environment.enrollmentTokenHint },
    });
    await announce(tx.em, { kind: "seen", environmentId, topic: "environment" });
  });
  return token;
}

/**
 * Lets the restored state rule (P10): raises the environment's generation above every one that a node has
 * accepted. Returns how many nodes were fenced off.
 */
export async function confirmRestoredState(scope: Scope, environmentId: string): Promise<number> {
  return transact(scope, async (tx) => {
    const environment = await tx.em.findOneOrFail(Environment, { id: environmentId });
    const [highest] = await tx.em.execute<{ generation: string; fenced: number }[]>(
      `select coalesce(max("reportedGeneration" - "generation"), 0) as generation,
         count(*) filter (where "fenced")::int as fenced
       from "VectorNode" where "environmentId" = ?`,
      [environmentId],
    );
    const before = environment.generation;
    environment.generation = Math.max(before, Number(highest?.generation ?? 0)) + 1;
    await tx.em.execute(
      `update "VectorNode" set "fenced" = false, "changedAt" = now() where "environmentId" = ? and "fenced"`,
      [environmentId],
    );
    audit(tx, {
      action: "environment.restored_state_confirmed",
      entityType: "Environment",
      entityId: environmentId,
      teamId: environment.teamId ?? null,
      environmentId,
      diff: { generation: { before, after: environment.generation } },
    });
    await announce(tx.em, { kind: "desired", environmentId });
    return highest?.fenced ?? 0;
  });
}
