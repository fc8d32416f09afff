import { audit } from "../../audit/audit.ts";
import { transact } from "../../db/transaction.ts";
import { FieldViolations } from "../../errors.ts";
import type { Scope } from "../../scope.ts";
import { raiseGeneration } from "./delivery.ts";
import { announceDeploy, lockPipeline } from "../deployments.ts";
import { teamIdOf } from "../pipelines.ts";

/** What each process of a pipeline may use of its host; 0 is no limit. */
export interface PipelineLimits {
  readonly memoryMib: number;
  readonly cpuCores: number;
}

/** Vector itself needs about half of this. */
const leastMemoryMib = 64;
const leastCores = 0.05;

/** Sets them at once on all hosts; nothing restarts. Throws `invalid` for what no process could live with. */
export async function setLimits(
  scope: Scope,
  pipelineId: string,
  limits: PipelineLimits,
): Promise<void> {
  const { memoryMib, cpuCores } = limits;
  const violations = new FieldViolations();
  if (memoryMib !== 0 && (memoryMib < leastMemoryMib || memoryMib > 16 * 1024 * 1024)) {
    violations.add("limits.memory_mib", `must be 0, or at least ${leastMemoryMib} MiB`);
  }
  if (!(cpuCores === 0 || (cpuCores >= leastCores && cpuCores <= 1024))) {
    violations.add("limits.cpu_cores", `must be 0, or from ${leastCores} to 1024 cores`);
  }
  violations.throwIfAny();
  await transact(scope, async (tx) => {
    const pipeline = await lockPipeline(tx, pipelineId);
    const before = { memoryMib: pipeline.memoryLimitMib, cpuCores: pipeline.cpuLimitCores };
    if (before.memoryMib === memoryMib && before.cpuCores === cpuCores) return;
    tx.em.assign(pipeline, { memoryLimitMib: memoryMib, cpuLimitCores: cpuCores });
    await tx.em.flush();
    await raiseGeneration(tx, pipeline.environmentId);
    audit(tx, {
      action: "pipeline.limits_changed",
      entityType: "Pipeline",
      entityId: pipeline.id,
      teamId: await teamIdOf(tx, pipeline.environmentId),
      environmentId: pipeline.environmentId,
      diff: { limits: { before, after: { memoryMib, cpuCores } } },
    });
    await announceDeploy(tx, pipeline.environmentId);
  });
}
