import { audit } from "../../audit/audit.ts";
import { announce } from "../../db/changes.ts";
import { transact } from "../../db/transaction.ts";
import type { Scope } from "../../scope.ts";
import { announceDeploy, lockPipeline, takeOff } from "../deployments.ts";
import { Pipeline } from "../pipeline.entity.ts";
import { teamIdOf } from "../pipelines.ts";

/**
 * Takes a pipeline off its nodes and deletes it with its versions and series. Both are in the audit, with the
 * versions that there were; the rows of what was done with it before stay there too.
 */
export async function deletePipeline(scope: Scope, id: string): Promise<void> {
  await transact(scope, async (tx) => {
    const pipeline = await lockPipeline(tx, id);
    const { environmentId, name } = pipeline;
    const teamId = await teamIdOf(tx, environmentId);
    const [versions] = await tx.em.execute<{ count: number; newest: number | null }[]>(
      `select count(*)::int as "count", max("version") as "newest" from "PipelineVersion" where "pipelineId" = ?`,
      [id],
    );
    const deployedVersion = pipeline.deployedVersion ?? null;
    const pausedVersion = pipeline.pausedVersion ?? null;
    await takeOff(tx, pipeline, "the pipeline is deleted");
    await tx.em.flush();
    await tx.em.nativeDelete(Pipeline, { id });
    audit(tx, {
      action: "pipeline.deleted",
      entityType: "Pipeline",
      entityId: id,
      teamId,
      environmentId,
      metadata: {
        name,
        deployedVersion,
        pausedVersion,
        versionCount: versions?.count ?? 0,
        newestVersion: versions?.newest ?? null,
      },
    });
    await announceDeploy(tx, environmentId);
    await announce(tx.em, { kind: "seen", environmentId, topic: "pipelines" });
  });
}
