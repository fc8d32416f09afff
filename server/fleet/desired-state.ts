import type { EntityManager } from "@mikro-orm/postgresql";

/** One pipeline that the nodes of an environment shall run. */
export interface DesiredPipeline {
  readonly pipelineId: string;
  readonly name: string;
  readonly version: number;
  readonly hash: string;
  readonly attempt: number;
  readonly configYaml: string;
  readonly logLevel: string | null;
}

/** What the nodes of an environment shall run. Read once for each change and shared by all sessions. */
export interface EnvironmentState {
  readonly environmentId: string;
  readonly generation: number;
  readonly pipelines: readonly DesiredPipeline[];
}

/** What differs from node to node. */
export interface NodeState {
  readonly nodeId: string;
  readonly generation: number;
  readonly maintenance: boolean;
}

/** Reads both in one snapshot, so that a generation never goes with another's pipelines. */
export async function readDesiredState(
  em: EntityManager,
  environmentId: string,
  nodeIds: readonly string[],
): Promise<{ environment: EnvironmentState; nodes: readonly NodeState[] }> {
  return em.fork().transactional(
    async (tx) => {
      const [row] = await tx.execute<{ generation: string }[]>(
        `select "generation" from "Environment" where "id" = ?`,
        [environmentId],
      );
      const pipelines = await tx.execute<DesiredPipeline[]>(
        `select p."id" as "pipelineId", p."name", v."version", v."contentHash" as "hash", p."attempt",
           v."configYaml", v."logLevel"
         from "Pipeline" p
         join "PipelineVersion" v on v."pipelineId" = p."id" and v."version" = p."deployedVersion"
         where p."environmentId" = ? order by p."id"`,
        [environmentId],
      );
      const nodes = await tx.execute<
        { nodeId: string; generation: string; maintenance: boolean }[]
      >(
        `select "id" as "nodeId", "generation", "maintenanceMode" as "maintenance"
         from "VectorNode" where "environmentId" = ?${nodeIds.length === 1 ? ` and "id" = ?` : ""}`,
        nodeIds.length === 1 ? [environmentId, nodeIds[0]] : [environmentId],
      );
      return {
        environment: { environmentId, generation: Number(row?.generation ?? 0), pipelines },
        nodes: nodes.map((node) => ({ ...node, generation: Number(node.generation) })),
      };
    },
    { readOnly: true, isolationLevel: "repeatable read" as never },
  );
}
