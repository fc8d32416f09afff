import type { EntityManager } from "@mikro-orm/postgresql";
import { audit } from "../audit/audit.ts";
import type { PipelineGraph } from "../configuration/graph.ts";
import { announce } from "../db/changes.ts";
import { transact } from "../db/transaction.ts";
import type { ServerDeps } from "../deps.ts";
import { DomainError } from "../errors.ts";
import { compileIn, placementOf } from "../pipelines/compile-in.ts";
import type { Pipeline } from "../pipelines/pipeline.entity.ts";
import { refuseErrors, teamIdOf } from "../pipelines/pipelines.ts";
import type { Scope } from "../scope.ts";
import type { References } from "../secrets/references.ts";
import { HostCheck } from "./host-check.entity.ts";

/** Nobody waits longer, however large the fleet. */
export const longestMs = 120_000;
/** Questions of one environment at a time: each is a process on every host. */
const maximumUnderWay = 3;
const capability = "CHECK_CONFIG";

/** A host that a pipeline is for. */
export interface Target {
  readonly id: string;
  readonly name: string;
  readonly connected: boolean;
  readonly able: boolean;
}

/** The hosts that a pipeline is for. */
export function readTargets(em: EntityManager, pipelineId: string): Promise<Target[]> {
  return em.execute<Target[]>(
    `select n."id", n."name",
       (n."sessionId" is not null and n."status" <> 'UNREACHABLE') as "connected",
       n."capabilities" @> ?::jsonb as "able"
     from "VectorNode" n join "Pipeline" p on p."environmentId" = n."environmentId"
     where p."id" = ? and n."nodeTokenHash" is not null
       and (p."nodeSelector" is null or "node_selector_matches"(p."nodeSelector", n."labels"))`,
    [JSON.stringify([capability]), pipelineId],
  );
}

/** What hosts would get of a text. Throws `invalid` for one with errors, which no host needs to see. */
export async function compileForHosts(
  deps: ServerDeps,
  scope: Scope,
  pipeline: Pipeline,
  yaml: string,
): Promise<{ readonly graph: PipelineGraph; readonly configYaml: string }> {
  const placement = placementOf(pipeline);
  const compiled = await compileIn(scope, deps.compiler, placement, yaml, { rendered: true });
  refuseErrors(compiled.problems);
  const { filledGraph: graph, configYaml } = compiled;
  if (graph === undefined || configYaml === undefined) throw new Error("errors were not told");
  return { graph, configYaml };
}

/** What hosts are asked. */
export interface Question {
  readonly id: string;
  readonly configYaml: string;
  readonly references: References;
  /** The only host that is asked; absent: all of the pipeline. */
  readonly nodeId?: string;
  readonly runTests?: boolean;
  readonly expiresAt: Date;
}

/** Writes a question down and tells the replicas, so that each asks its hosts. */
export async function ask(
  scope: Scope,
  pipeline: Pipeline,
  question: Question,
  entry: { readonly action: string; readonly metadata: Record<string, unknown> },
): Promise<void> {
  const { environmentId } = pipeline;
  await transact(scope, async (tx) => {
    await refuseTooMany(tx, environmentId);
    tx.em.create(HostCheck, { ...question, pipelineId: pipeline.id, createdAt: tx.clock.now() });
    audit(tx, {
      ...entry,
      entityType: "Pipeline",
      entityId: pipeline.id,
      teamId: await teamIdOf(tx, environmentId),
      environmentId,
    });
    await tx.em.flush();
    await announce(tx.em, { kind: "host_check", environmentId, checkId: question.id });
  });
}

async function refuseTooMany(tx: Scope, environmentId: string): Promise<void> {
  const [row] = await tx.em.execute<{ count: number }[]>(
    `select count(*)::int as count from "HostCheck" h join "Pipeline" p on p."id" = h."pipelineId"
     where p."environmentId" = ? and h."expiresAt" > ?`,
    [environmentId, tx.clock.now()],
  );
  if ((row?.count ?? 0) < maximumUnderWay) return;
  throw new DomainError(
    "exhausted",
    "too_many_checks",
    "the hosts of this environment are being asked already: try again in a moment",
  );
}

/** Also when the database is away: then the row expires, and the hosts end by their own limits. */
export async function endQuestion(deps: ServerDeps, checkId: string): Promise<void> {
  deps.hostChecks.over(checkId);
  try {
    await deps.orm.em.fork().transactional(async (em) => {
      await em.execute(`delete from "HostCheck" where "id" = ?`, [checkId]);
      await announce(em, { kind: "host_check_over", checkId });
    });
  } catch (error) {
    deps.log.warn("cannot end a check on hosts", { checkId, error });
  }
}

/** Deletes what a replica left that died. */
export async function tidyHostChecks(em: EntityManager, now: Date): Promise<void> {
  await em.execute(`delete from "HostCheck" where "expiresAt" < ?`, [
    new Date(now.getTime() - longestMs),
  ]);
}
