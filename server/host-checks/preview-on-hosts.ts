import type { EntityManager } from "@mikro-orm/postgresql";
import { newId } from "../db/columns.ts";
import type { ServerDeps } from "../deps.ts";
import type { Scope } from "../scope.ts";
import { collectReferences } from "../secrets/references.ts";
import { graphValues } from "../configuration/graph.ts";
import {
  HostGroups,
  type HostGroup,
  type HostProblem,
  type HostVerdict,
} from "./host-check-groups.ts";
import { findPipeline } from "../pipelines/pipelines.ts";
import {
  ask,
  compileForHosts,
  endQuestion,
  longestMs,
  readTargets,
  type Target,
} from "./questions.ts";

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

/** News come at most this often. */
const pauseMs = 250;

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
  const { graph, configYaml } = await compileForHosts(deps, scope, pipeline, input.yaml);
  const targets = await readTargets(deps.orm.em.fork(), pipeline.id);
  const asked = targets.filter(({ connected, able }) => connected && able);
  const id = newId();
  using watch = deps.hostChecks.watch(id);
  const deadline = deps.clock.now().getTime() + longestMs;
  const references = collectReferences(graphValues(graph));
  await ask(
    scope,
    pipeline,
    { id, configYaml, references, expiresAt: new Date(deadline) },
    {
      action: "pipeline.checked_on_hosts",
      metadata: { askedNodes: asked.length, targetNodes: targets.length },
    },
  );
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
    await endQuestion(deps, id);
  }
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
