import { audit } from "../audit/audit.ts";
import { transact } from "../db/transaction.ts";
import { announceDeploy, lockPipeline } from "../pipelines/deployments.ts";
import { teamIdOf } from "../pipelines/pipelines.ts";
import type { Scope } from "../scope.ts";

/** Lets only texts be deployed whose tests pass, or any. */
export async function setTestGate(
  scope: Scope,
  pipelineId: string,
  enabled: boolean,
): Promise<void> {
  await transact(scope, async (tx) => {
    const pipeline = await lockPipeline(tx, pipelineId);
    const before = pipeline.testGate;
    if (before === enabled) return;
    pipeline.testGate = enabled;
    await tx.em.flush();
    audit(tx, {
      action: "pipeline.test_gate_changed",
      entityType: "Pipeline",
      entityId: pipeline.id,
      teamId: await teamIdOf(tx, pipeline.environmentId),
      environmentId: pipeline.environmentId,
      diff: { testGate: { before, after: enabled } },
    });
    await announceDeploy(tx, pipeline.environmentId);
  });
}
