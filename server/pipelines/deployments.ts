import { createHash } from "node:crypto";
import { audit } from "../audit/audit.ts";
import { announce } from "../db/changes.ts";
import { newId } from "../db/columns.ts";
import { transact } from "../db/transaction.ts";
import { DomainError, FieldViolations, notFound } from "../errors.ts";
import type { Scope } from "../scope.ts";
import type { FilledPipeline } from "./compile-filled.ts";
import type { PipelineCompiler } from "./compiler.ts";
import { graphValues } from "./graph.ts";
import { PipelineVersion } from "./pipeline-version.entity.ts";
import type { Pipeline } from "./pipeline.entity.ts";
import { raiseGeneration, renewDeliveries } from "./delivery.ts";
import { collectReferences } from "../secrets/references.ts";
import { compileIn, findPipeline, refuseErrors, storeGraph, teamIdOf } from "./pipelines.ts";

/** Identifies a configuration. What nodes hold besides is in the hash of the delivery. */
export function contentHash(configYaml: string, logLevel: string | null): string {
  return createHash("sha256")
    .update(JSON.stringify([1, logLevel ?? "", configYaml]))
    .digest("hex");
}

function checkReason(text: string): string {
  const violations = new FieldViolations();
  const reason = violations.text("changelog", text, 0, 1000);
  violations.throwIfAny();
  return reason;
}

/** Publishes the saved draft as the next version. Throws `invalid` when it has errors. */
export async function deployPipeline(
  scope: Scope,
  compiler: PipelineCompiler,
  input: { readonly id: string; readonly changelog: string; readonly revision: string },
): Promise<PipelineVersion> {
  const changelog = checkReason(input.changelog);
  const draft = await findPipeline(scope, input.id);
  const compiled = await compileIn(scope, compiler, draft.environmentId, draft.yaml);
  refuseErrors(compiled.problems);
  return transact(scope, async (tx) => {
    const pipeline = await lockPipeline(tx, input.id);
    if (input.revision !== "" && pipeline.revision !== Number(input.revision)) {
      throw new DomainError(
        "stale",
        "pipeline_changed",
        "the pipeline was saved again after you reviewed it: review it once more",
      );
    }
    if (pipeline.yaml !== draft.yaml) {
      throw new DomainError("stale", "pipeline_changed", "the pipeline is being saved; try again");
    }
    const version = await publish(tx, pipeline, compiled, draft.yaml, changelog);
    await recordDeploy(tx, pipeline, version, "pipeline.deployed");
    return version;
  });
}

/** Publishes an old version again, as a new one, and makes its text the draft. */
export async function rollbackPipeline(
  scope: Scope,
  compiler: PipelineCompiler,
  input: { readonly id: string; readonly version: number; readonly changelog: string },
): Promise<PipelineVersion> {
  const old = await findVersion(scope, input.id, input.version);
  const given = checkReason(input.changelog);
  const changelog = given === "" ? `Back to version ${old.version}` : given;
  const { environmentId } = await findPipeline(scope, input.id);
  // With the values that it ran with: a value that has changed since may be what is wrong.
  const { sourceYaml, variables } = old;
  const compiled = await compileIn(scope, compiler, environmentId, sourceYaml, variables);
  refuseErrors(compiled.problems);
  return transact(scope, async (tx) => {
    const pipeline = await lockPipeline(tx, input.id);
    tx.em.assign(pipeline, {
      yaml: old.sourceYaml,
      revision: pipeline.revision + 1,
      updatedById: scope.actor.kind === "user" ? scope.actor.userId : null,
    });
    await tx.em.flush();
    if (compiled.graph !== undefined) await storeGraph(tx, pipeline, compiled.graph);
    const version = await publish(tx, pipeline, compiled, old.sourceYaml, changelog);
    await recordDeploy(tx, pipeline, version, "pipeline.rolled_back");
    return version;
  });
}

/** Takes a pipeline off all nodes. */
export async function undeployPipeline(scope: Scope, id: string, reason: string): Promise<void> {
  const text = checkReason(reason);
  await transact(scope, async (tx) => {
    const pipeline = await lockPipeline(tx, id);
    if (pipeline.deployedVersion == null) {
      throw new DomainError(
        "precondition",
        "pipeline_not_deployed",
        `${pipeline.name} is not deployed`,
      );
    }
    const before = pipeline.deployedVersion;
    tx.em.assign(pipeline, {
      isDraft: true,
      deployedVersion: null,
      deliveredHash: null,
      deliveryProblem: null,
    });
    await raiseGeneration(tx, pipeline.environmentId);
    audit(tx, {
      action: "pipeline.undeployed",
      entityType: "Pipeline",
      entityId: id,
      teamId: await teamIdOf(tx, pipeline.environmentId),
      environmentId: pipeline.environmentId,
      diff: { deployedVersion: { before, after: null } },
      metadata: { reason: text },
    });
    await announceDeploy(tx, pipeline.environmentId);
  });
}

/** Lets nodes on which the deployed version failed try it once more (P3). Returns how many there are. */
export async function retryDeploy(scope: Scope, id: string): Promise<number> {
  return transact(scope, async (tx) => {
    const pipeline = await lockPipeline(tx, id);
    if (pipeline.deployedVersion == null) {
      throw new DomainError(
        "precondition",
        "pipeline_not_deployed",
        `${pipeline.name} is not deployed`,
      );
    }
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
    createdById: tx.actor.kind === "user" ? tx.actor.userId : "",
    changelog: changelog === "" ? null : changelog,
    createdAt: now,
  });
  tx.em.assign(pipeline, { isDraft: false, deployedAt: now, deployedVersion: version.version });
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
    },
  });
  await announceDeploy(tx, pipeline.environmentId);
}

/** Tells sessions and watchers, once the transaction has committed. */
export async function announceDeploy(tx: Scope, environmentId: string): Promise<void> {
  await announce(tx.em, { kind: "desired", environmentId });
  await announce(tx.em, { kind: "seen", environmentId, topic: "versions" });
}
