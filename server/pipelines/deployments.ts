import { createHash } from "node:crypto";
import { audit, diffOf } from "../audit/audit.ts";
import { announce } from "../db/changes.ts";
import { newId } from "../db/columns.ts";
import { transact } from "../db/transaction.ts";
import { DomainError, FieldViolations, notFound } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { compileIn, placementOf } from "./compile-in.ts";
import type { FilledPipeline } from "../configuration/compile-filled.ts";
import type { PipelineCompiler } from "../configuration/compiler.ts";
import { graphValues } from "../configuration/graph.ts";
import { readSnapshot, restorePlaces } from "./graph-snapshot.ts";
import { PipelineVersion } from "./pipeline-version.entity.ts";
import type { Pipeline } from "./pipeline.entity.ts";
import { raiseGeneration, renewDeliveries } from "./delivery/delivery.ts";
import { collectReferences } from "../secrets/references.ts";
import { refuseUntested } from "../trials/trials.ts";
import { findPipeline, refuseErrors, storeGraph, teamIdOf } from "./pipelines.ts";
import { hasUndeployedText } from "./versions.ts";

/** Identifies a configuration. What nodes hold besides is in the hash of the delivery. */
export function contentHash(configYaml: string, logLevel: string | null): string {
  return createHash("sha256")
    .update(JSON.stringify([1, logLevel ?? "", configYaml]))
    .digest("hex");
}

export function checkReason(text: string): string {
  const violations = new FieldViolations();
  const reason = violations.text("changelog", text, 0, 1000);
  violations.throwIfAny();
  return reason;
}

/** Publishes the saved draft as the next version. Throws `invalid` when it has errors. */
export async function deployPipeline(
  scope: Scope,
  compiler: PipelineCompiler,
  input: {
    readonly id: string;
    readonly changelog: string;
    readonly revision: string;
    readonly endPause: boolean;
  },
): Promise<PipelineVersion> {
  const changelog = checkReason(input.changelog);
  const draft = await findPipeline(scope, input.id);
  const compiled = await compileIn(scope, compiler, placementOf(draft), draft.yaml, {
    rendered: true,
  });
  refuseErrors(compiled.problems);
  if (draft.testGate) {
    await refuseUntested(scope, compiler, draft, compiled.configYaml ?? "");
  }
  return transact(scope, async (tx) => {
    const pipeline = await lockPipeline(tx, input.id);
    refusePaused(pipeline, input.endPause);
    if (input.revision !== "") refuseStale(pipeline, input.revision);
    if (pipeline.yaml !== draft.yaml) {
      throw new DomainError("stale", "pipeline_changed", "the pipeline is being saved; try again");
    }
    const { pausedVersion } = pipeline;
    const version = await publish(tx, pipeline, compiled, draft.yaml, changelog);
    await recordDeploy(tx, pipeline, version, "pipeline.deployed", pausedVersion);
    return version;
  });
}

/**
 * Publishes an old version again, as a new one, and makes its text and its places on the canvas the draft. Throws
 * `stale` when the draft was saved after the given revision, and `precondition` when none is given and the draft has
 * what was never deployed.
 */
export async function rollbackPipeline(
  scope: Scope,
  compiler: PipelineCompiler,
  input: {
    readonly id: string;
    readonly version: number;
    readonly changelog: string;
    readonly revision: string;
    readonly endPause: boolean;
  },
): Promise<PipelineVersion> {
  const old = await findVersion(scope, input.id, input.version);
  const given = checkReason(input.changelog);
  const changelog = given === "" ? `Back to version ${old.version}` : given;
  const placement = placementOf(await findPipeline(scope, input.id));
  // With the values that it ran with: a value that has changed since may be what is wrong.
  const { sourceYaml, variables } = old;
  const options = { rendered: true, variables };
  const compiled = await compileIn(scope, compiler, placement, sourceYaml, options);
  refuseErrors(compiled.problems);
  return transact(scope, async (tx) => {
    const pipeline = await lockPipeline(tx, input.id);
    refusePaused(pipeline, input.endPause);
    await refuseLoss(tx, pipeline, old, input.revision);
    tx.em.assign(pipeline, {
      yaml: old.sourceYaml,
      revision: pipeline.revision + 1,
      updatedById: scope.actor.kind === "user" ? scope.actor.userId : null,
    });
    await tx.em.flush();
    if (compiled.graph !== undefined) await storeGraph(tx, pipeline, compiled.graph);
    if (old.nodesSnapshot != null) await restorePlaces(tx, pipeline.id, old.nodesSnapshot);
    const { pausedVersion } = pipeline;
    const version = await publish(tx, pipeline, compiled, old.sourceYaml, changelog);
    await recordDeploy(tx, pipeline, version, "pipeline.rolled_back", pausedVersion);
    return version;
  });
}

/** Somebody stopped it on purpose, and that must not end by a deploy of somebody else who does not know. */
function refusePaused({ name, pausedVersion }: Pipeline, endPause: boolean): void {
  if (pausedVersion == null || endPause) return;
  throw new DomainError(
    "precondition",
    "pipeline_paused",
    `${name} is paused: a deploy would start it on its hosts; confirm that this is meant, or resume it first`,
  );
}

function refuseStale({ revision }: Pipeline, reviewed: string): void {
  if (revision === Number(reviewed)) return;
  throw new DomainError(
    "stale",
    "pipeline_changed",
    "the pipeline was saved again after you reviewed it: review it once more",
  );
}

/** What is only in a draft cannot be had back: it is replaced by those who saw it. */
async function refuseLoss(
  tx: Scope,
  pipeline: Pipeline,
  old: PipelineVersion,
  reviewed: string,
): Promise<void> {
  if (reviewed !== "") return refuseStale(pipeline, reviewed);
  if (pipeline.yaml === old.sourceYaml || !(await hasUndeployedText(tx.em, pipeline))) return;
  throw new DomainError(
    "precondition",
    "draft_not_deployed",
    `the draft of ${pipeline.name} has changes that were never deployed, and going back replaces them: look at them, and give the revision that you looked at`,
  );
}

export function notDeployed({ name }: Pipeline): DomainError {
  return new DomainError("precondition", "pipeline_not_deployed", `${name} is not deployed`);
}

/** Takes a pipeline off all nodes, or ends its pause so. Returns the version that can be put back; 0: none ran. */
export async function undeployPipeline(scope: Scope, id: string, reason: string): Promise<number> {
  const text = checkReason(reason);
  return transact(scope, async (tx) => {
    const pipeline = await lockPipeline(tx, id);
    const running = pipeline.deployedVersion ?? null;
    const taken = await takeOff(tx, pipeline, text);
    if (!taken) throw notDeployed(pipeline);
    await announceDeploy(tx, pipeline.environmentId);
    return running ?? 0;
  });
}

/** Takes a pipeline off all nodes in the caller's transaction. False when it was neither deployed nor paused. */
export async function takeOff(tx: Scope, pipeline: Pipeline, reason: string): Promise<boolean> {
  const deployedVersion = pipeline.deployedVersion ?? null;
  const pausedVersion = pipeline.pausedVersion ?? null;
  if (deployedVersion === null && pausedVersion === null) return false;
  tx.em.assign(pipeline, {
    isDraft: true,
    deployedVersion: null,
    pausedVersion: null,
    undeployedVersion: deployedVersion ?? pausedVersion,
    deliveredHash: null,
    deliveryProblem: null,
  });
  await tx.em.flush();
  await raiseGeneration(tx, pipeline.environmentId);
  audit(tx, {
    action: "pipeline.undeployed",
    entityType: "Pipeline",
    entityId: pipeline.id,
    teamId: await teamIdOf(tx, pipeline.environmentId),
    environmentId: pipeline.environmentId,
    diff: diffOf(
      { deployedVersion, pausedVersion },
      { deployedVersion: null, pausedVersion: null },
    ),
    metadata: { reason },
  });
  return true;
}

/** Lets nodes on which the deployed version failed try it once more (P3). Returns how many there are. */
export async function retryDeploy(scope: Scope, id: string): Promise<number> {
  return transact(scope, async (tx) => {
    const pipeline = await lockPipeline(tx, id);
    if (pipeline.deployedVersion == null) throw notDeployed(pipeline);
    pipeline.attempt += 1;
    const [failed] = await tx.em.execute<{ count: number }[]>(
      `select count(*)::int as count from "NodePipelineStatus"
       where "pipelineId" = ? and "phase" in ('FAILED', 'ROLLED_BACK')`,
      [id],
    );
    await raiseGeneration(tx, pipeline.environmentId);
    audit(tx, {
      action: "pipeline.retried",
      entityType: "Pipeline",
      entityId: id,
      teamId: await teamIdOf(tx, pipeline.environmentId),
      environmentId: pipeline.environmentId,
      metadata: { version: pipeline.deployedVersion },
    });
    await announceDeploy(tx, pipeline.environmentId);
    return failed?.count ?? 0;
  });
}

export async function findVersion(
  scope: Scope,
  pipelineId: string,
  version: number,
): Promise<PipelineVersion> {
  const found = await scope.em.findOne(PipelineVersion, { pipelineId, version });
  if (found === null) throw notFound("version", String(version));
  return found;
}

/** Deploys of one pipeline stand in line, so that 50 at once give 50 consecutive versions. */
export async function lockPipeline(tx: Scope, id: string): Promise<Pipeline> {
  // In the order of everything that changes what nodes hold; see lockDelivery.
  await tx.em.execute(
    `select 1 from "Environment" where "id" = (select "environmentId" from "Pipeline" where "id" = ?)
     for no key update`,
    [id],
  );
  await tx.em.execute(`select 1 from "Pipeline" where "id" = ? for update`, [id]);
  return findPipeline(tx, id);
}

/** Makes the next version of a pipeline and what its nodes shall run, in the caller's transaction. */
export async function publish(
  tx: Scope,
  pipeline: Pipeline,
  compiled: FilledPipeline,
  sourceYaml: string,
  changelog: string,
): Promise<PipelineVersion> {
  const { configYaml, graph, filledGraph } = compiled;
  if (configYaml === undefined) throw new Error("a configuration with errors was to be published");
  const [newest] = await tx.em.execute<{ version: number }[]>(
    `select coalesce(max("version"), 0) as version from "PipelineVersion" where "pipelineId" = ?`,
    [pipeline.id],
  );
  const now = tx.clock.now();
  const snapshot = await readSnapshot(tx, pipeline.id);
  const version = tx.em.create(PipelineVersion, {
    id: newId(),
    pipelineId: pipeline.id,
    version: (newest?.version ?? 0) + 1,
    configYaml,
    contentHash: contentHash(configYaml, null),
    sourceYaml,
    logLevel: pipeline.logLevel ?? null,
    // Values of variables may name secrets; what the variables are called only the text says.
    references:
      graph === undefined || filledGraph === undefined
        ? {}
        : {
            ...collectReferences(graphValues(graph)),
            ...collectReferences(graphValues(filledGraph)),
          },
    variables: { ...compiled.variables },
    globalConfig: { ...filledGraph?.globalConfig },
    nodesSnapshot: snapshot.nodes,
    edgesSnapshot: snapshot.edges,
    createdById: tx.actor.kind === "user" ? tx.actor.userId : "",
    changelog: changelog === "" ? null : changelog,
    createdAt: now,
  });
  tx.em.assign(pipeline, {
    isDraft: false,
    deployedAt: now,
    deployedVersion: version.version,
    pausedVersion: null,
    undeployedVersion: null,
  });
  await tx.em.flush();
  await raiseGeneration(tx, pipeline.environmentId);
  const renewed = await renewDeliveries(tx, pipeline.environmentId);
  // Something was deleted between the check and now.
  const problem = renewed.find(({ pipelineId }) => pipelineId === pipeline.id)?.problem;
  if (problem != null) throw new DomainError("invalid", "reference_missing", problem);
  return version;
}

/** Writes the audit of a deploy and tells hosts of it. */
export async function recordDeploy(
  tx: Scope,
  pipeline: Pipeline,
  version: PipelineVersion,
  action: string,
  pausedVersion: number | null | undefined,
): Promise<void> {
  audit(tx, {
    action,
    entityType: "Pipeline",
    entityId: pipeline.id,
    teamId: await teamIdOf(tx, pipeline.environmentId),
    environmentId: pipeline.environmentId,
    metadata: {
      version: version.version,
      contentHash: version.contentHash,
      changelog: version.changelog ?? null,
      ...(pausedVersion == null ? {} : { endedPauseOfVersion: pausedVersion }),
    },
  });
  await announceDeploy(tx, pipeline.environmentId);
}

/** Tells sessions and watchers, once the transaction has committed. */
export async function announceDeploy(tx: Scope, environmentId: string): Promise<void> {
  await announce(tx.em, { kind: "desired", environmentId });
  await announce(tx.em, { kind: "seen", environmentId, topic: "versions" });
}
