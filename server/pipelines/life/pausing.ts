import { audit } from "../../audit/audit.ts";
import { transact } from "../../db/transaction.ts";
import { DomainError } from "../../errors.ts";
import type { Scope } from "../../scope.ts";
import { raiseGeneration, renewDeliveries } from "../delivery/delivery.ts";
import { announceDeploy, checkReason, lockPipeline, notDeployed } from "../deployments.ts";
import { teamIdOf } from "../pipelines.ts";

/** Takes a pipeline off all nodes and remembers its version. Returns that version. */
export async function pausePipeline(scope: Scope, id: string, reason: string): Promise<number> {
  const text = checkReason(reason);
  return transact(scope, async (tx) => {
    const pipeline = await lockPipeline(tx, id);
    const version = pipeline.deployedVersion;
    if (version == null) {
      if (pipeline.pausedVersion == null) throw notDeployed(pipeline);
      throw new DomainError(
        "precondition",
        "pipeline_paused",
        `${pipeline.name} is paused already`,
      );
    }
    tx.em.assign(pipeline, {
      isDraft: true,
      deployedVersion: null,
      pausedVersion: version,
      deliveredHash: null,
      deliveryProblem: null,
    });
    await tx.em.flush();
    await raiseGeneration(tx, pipeline.environmentId);
    audit(tx, {
      action: "pipeline.paused",
      entityType: "Pipeline",
      entityId: id,
      teamId: await teamIdOf(tx, pipeline.environmentId),
      environmentId: pipeline.environmentId,
      diff: { deployedVersion: { before: version, after: null } },
      metadata: { reason: text },
    });
    await announceDeploy(tx, pipeline.environmentId);
    return version;
  });
}

/**
 * Puts back what a pause or an undeploy took off the nodes: the same version, whose secrets and certificates must all
 * exist. `wanted` is the version that is meant, 0 that of a pause. Returns the version.
 */
export async function resumePipeline(scope: Scope, id: string, wanted: number): Promise<number> {
  return transact(scope, async (tx) => {
    const pipeline = await lockPipeline(tx, id);
    const paused = pipeline.pausedVersion ?? null;
    const version = paused ?? pipeline.undeployedVersion ?? null;
    if (version === null || (paused === null && wanted === 0)) {
      throw new DomainError(
        "precondition",
        "pipeline_not_paused",
        `${pipeline.name} is not paused`,
      );
    }
    if (wanted !== 0 && wanted !== version) {
      throw new DomainError(
        "stale",
        "pipeline_changed",
        `version ${version} of ${pipeline.name} would come back, and not version ${wanted}: look again`,
      );
    }
    tx.em.assign(pipeline, {
      isDraft: false,
      deployedVersion: version,
      pausedVersion: null,
      undeployedVersion: null,
      // What nodes said of it before is not about this time.
      attempt: pipeline.attempt + 1,
    });
    await tx.em.flush();
    await raiseGeneration(tx, pipeline.environmentId);
    const renewed = await renewDeliveries(tx, pipeline.environmentId);
    const problem = renewed.find(({ pipelineId }) => pipelineId === id)?.problem;
    if (problem != null) throw new DomainError("invalid", "reference_missing", problem);
    audit(tx, {
      action: "pipeline.resumed",
      entityType: "Pipeline",
      entityId: id,
      teamId: await teamIdOf(tx, pipeline.environmentId),
      environmentId: pipeline.environmentId,
      diff: { deployedVersion: { before: null, after: version } },
      metadata: { after: paused === null ? "undeploy" : "pause" },
    });
    await announceDeploy(tx, pipeline.environmentId);
    return version;
  });
}
