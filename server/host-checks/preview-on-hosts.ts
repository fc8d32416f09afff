import type { EntityManager } from "@mikro-orm/postgresql";
import { audit } from "../audit/audit.ts";
import { announce } from "../db/changes.ts";
import { newId } from "../db/columns.ts";
import { transact } from "../db/transaction.ts";
import type { ServerDeps } from "../deps.ts";
import { DomainError } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { collectReferences } from "../secrets/references.ts";
import { compileIn, placementOf } from "../pipelines/compile-in.ts";
import { graphValues } from "../configuration/graph.ts";
import {
  HostGroups,
  type HostGroup,
  type HostProblem,
  type HostVerdict,
} from "./host-check-groups.ts";
import { HostCheck } from "./host-check.entity.ts";
import { findPipeline, refuseErrors, teamIdOf } from "../pipelines/pipelines.ts";

/** How far the question has come. */
export interface HostPreview {
  /** Hosts that the pipeline is for. */
  readonly targetCount: number;
  /** Of those, the ones that can be asked now. */
  readonly askedCount: number;
  readonly answeredCount: number;
  readonly acceptedCount: number;
  readonly notConnectedCount: number;
  readonly tooOldCount: number;
  readonly groups: readonly HostGroup[];
  readonly done: boolean;
}

/** Nobody waits longer, however large the fleet. */
const longestMs = 120_000;
/** News come at most this often. */
const pauseMs = 250;
/** Questions of one environment at a time: each is a process on every host. */
const maximumUnderWay = 3;
const capability = "CHECK_CONFIG";

interface Target {
  readonly id: string;
  readonly name: string;
  readonly connected: boolean;
  readonly able: boolean;
}

interface AnswerRow {
  readonly nodeId: string;
  readonly verdict: "ACCEPTED" | "REFUSED" | "FAILED";
  readonly reason: string;
  readonly problems: readonly HostProblem[];
  readonly vectorVersion: string;
}

const verdicts = {
  ACCEPTED: "accepted",
  REFUSED: "refused",
  FAILED: "failed",
} as const satisfies Record<AnswerRow["verdict"], HostVerdict>;

/**
 * Asks the hosts that a pipeline is for whether they would take a text, and tells of their answers as they come. It
 * ends when all have answered, after two minutes, or with the signal; then no host works on it any more. Throws
 * `invalid` for a text with errors, which no host needs to see.
 */
export async function* previewOnHosts(
  deps: ServerDeps,
  scope: Scope,
  input: { readonly pipelineId: string; readonly yaml: string },
  signal: AbortSignal,
): AsyncGenerator<HostPreview, void, undefined> {
  const pipeline = await findPipeline(scope, input.pipelineId);
  const { environmentId } = pipeline;
  const options = { rendered: true };
  const compiled = await compileIn(
    scope,
    deps.compiler,
    placementOf(pipeline),
    input.yaml,
    options,
  );
  refuseErrors(compiled.problems);
  const { filledGraph: graph, configYaml } = compiled;
  if (graph === undefined || configYaml === undefined) throw new Error("errors were not told");
  const em = deps.orm.em.fork();
  const targets = await readTargets(em, pipeline.id);
  const asked = targets.filter(({ connected, able }) => connected && able);
  const id = newId();
  using watch = deps.hostChecks.watch(id);
  const deadline = deps.clock.now().getTime() + longestMs;
  await transact(scope, async (tx) => {
    await refuseTooManyChecks(tx, environmentId);
    tx.em.create(HostCheck, {
      id,
      pipelineId: pipeline.id,
      configYaml,
      references: collectReferences(graphValues(graph)),
      createdAt: tx.clock.now(),
      expiresAt: new Date(deadline),
    });
    audit(tx, {
      action: "pipeline.checked_on_hosts",
      entityType: "Pipeline",
      entityId: pipeline.id,
      teamId: await teamIdOf(tx, environmentId),
      environmentId,
      metadata: { askedNodes: asked.length, targetNodes: targets.length },
    });
    await tx.em.flush();
    await announce(tx.em, { kind: "host_check", environmentId, checkId: id });
  });
  try {
    const ofHosts = new Answers(targets, asked);
    yield ofHosts.preview(false);
    while (!ofHosts.isComplete) {
      const left = deadline - deps.clock.now().getTime();
      if (left <= 0) break;
      const timer = AbortSignal.any([signal, AbortSignal.timeout(left)]);
      await watch.answers.take(timer).catch(() => {}); // The time is over, or nobody waits.
      if (signal.aborted) return;
      const news = ofHosts.take(await readAnswers(deps.orm.em.fork(), id));
      if (news && !ofHosts.isComplete) {
        yield ofHosts.preview(false);
        await deps.clock.sleep(pauseMs, signal).catch(() => {});
      }
    }
    ofHosts.giveUp();
    yield ofHosts.preview(true);
  } finally {
    await endCheck(deps, id);
  }
}

/** Also when the database is away: then the row expires, and the hosts end by their own limits. */
export async function endCheck(deps: ServerDeps, checkId: string): Promise<void> {
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

export async function refuseTooManyChecks(tx: Scope, environmentId: string): Promise<void> {
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

function readAnswers(em: EntityManager, checkId: string): Promise<AnswerRow[]> {
  return em.execute<AnswerRow[]>(
    `select "nodeId", "verdict", "reason", "problems", "vectorVersion" from "HostCheckAnswer" where "checkId" = ?`,
    [checkId],
  );
}

class Answers {
  readonly #groups = new HostGroups();
  readonly #waiting: Map<string, string>;
  readonly #counts: Omit<HostPreview, "groups" | "done" | "answeredCount" | "acceptedCount">;
  #accepted = 0;
  #answered = 0;

  constructor(targets: readonly Target[], asked: readonly Target[]) {
    this.#waiting = new Map(asked.map(({ id, name }) => [id, name]));
    const away = targets.filter(({ connected }) => !connected);
    const old = targets.filter(({ connected, able }) => connected && !able);
    for (const { name } of away) this.#silent(name, "not_connected", "it is not connected");
    for (const { name } of old) {
      this.#silent(name, "too_old", "its agent is too old to be asked: update it");
    }
    this.#counts = {
      targetCount: targets.length,
      askedCount: asked.length,
      notConnectedCount: away.length,
      tooOldCount: old.length,
    };
  }

  get isComplete(): boolean {
    return this.#waiting.size === 0;
  }

  /** Returns whether there is anything new in it. */
  take(rows: readonly AnswerRow[]): boolean {
    const before = this.#answered;
    for (const { nodeId, verdict, ...answer } of rows) {
      const nodeName = this.#waiting.get(nodeId);
      if (nodeName === undefined) continue;
      this.#waiting.delete(nodeId);
      this.#answered += 1;
      if (verdict === "ACCEPTED") this.#accepted += 1;
      this.#groups.add({ ...answer, nodeName, verdict: verdicts[verdict] });
    }
    return this.#answered > before;
  }

  /** Those that have not answered will not be waited for. */
  giveUp(): void {
    for (const name of this.#waiting.values()) {
      this.#silent(name, "no_answer", "it did not answer in time");
    }
    this.#waiting.clear();
  }

  preview(done: boolean): HostPreview {
    return {
      ...this.#counts,
      answeredCount: this.#answered,
      acceptedCount: this.#accepted,
      groups: this.#groups.list(),
      done,
    };
  }

  #silent(nodeName: string, verdict: HostVerdict, reason: string): void {
    this.#groups.add({ nodeName, verdict, reason, problems: [], vectorVersion: "" });
  }
}
