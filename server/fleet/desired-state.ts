import type { EntityManager } from "@mikro-orm/postgresql";
import type { Logger } from "#common/logger.ts";
import type { Sealer } from "../crypto/sealer.ts";
import { matchesSelector, type Selector } from "../pipelines/delivery/selector.ts";
import type { References } from "../secrets/references.ts";
import { openReferences, type OpenedReferences } from "../secrets/opened.ts";

/** One pipeline that nodes of an environment shall run. */
export interface DesiredPipeline {
  readonly pipelineId: string;
  readonly name: string;
  readonly version: number;
  readonly hash: string;
  readonly attempt: number;
  readonly configYaml: string;
  readonly logLevel: string | null;
  readonly selector: Selector;
  /** Of each process, in mebibytes; 0 is no limit. */
  readonly memoryLimitMib: number;
  readonly cpuLimitCores: number;
  readonly secrets: OpenedReferences["secrets"];
  readonly certificates: OpenedReferences["certificates"];
  /**
   * False when something that the configuration names is missing: nodes that run it go on (P2), and nobody is
   * given half of it.
   */
  readonly complete: boolean;
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
  /** As people set them on the server. What the host reports of itself selects nothing (P9). */
  readonly labels: Readonly<Record<string, string>>;
}

/** What one node shall run: nothing in maintenance, else what its labels select. Pure. */
export function pipelinesFor(
  environment: EnvironmentState,
  node: NodeState,
): readonly DesiredPipeline[] {
  if (node.maintenance) return [];
  return environment.pipelines.filter(({ selector }) => matchesSelector(selector, node.labels));
}

type PipelineRow = Omit<DesiredPipeline, "secrets" | "certificates" | "complete"> & {
  readonly references: References;
  readonly problem: string | null;
};

/** Reads both in one snapshot, so that a generation never goes with another's pipelines. */
export async function readDesiredState(
  deps: { readonly em: EntityManager; readonly sealer: Sealer; readonly log: Logger },
  environmentId: string,
  nodeIds: readonly string[],
): Promise<{ environment: EnvironmentState; nodes: readonly NodeState[] }> {
  return deps.em.fork().transactional(
    async (tx) => {
      const [row] = await tx.execute<{ generation: string }[]>(
        `select "generation" from "Environment" where "id" = ?`,
        [environmentId],
      );
      const rows = await tx.execute<PipelineRow[]>(
        `select p."id" as "pipelineId", p."name", v."version", coalesce(p."deliveredHash", v."contentHash") as "hash",
           p."attempt", v."configYaml", p."logLevel", p."nodeSelector" as "selector",
           p."memoryLimitMib", p."cpuLimitCores", v."references",
           p."deliveryProblem" as "problem"
         from "Pipeline" p
         join "PipelineVersion" v on v."pipelineId" = p."id" and v."version" = p."deployedVersion"
         where p."environmentId" = ? order by p."id"`,
        [environmentId],
      );
      const nodes = await tx.execute<(Omit<NodeState, "generation"> & { generation: string })[]>(
        `select "id" as "nodeId", "generation", "maintenanceMode" as "maintenance", "labels"
         from "VectorNode" where "environmentId" = ?${nodeIds.length === 1 ? ` and "id" = ?` : ""}`,
        nodeIds.length === 1 ? [environmentId, nodeIds[0]] : [environmentId],
      );
      const opened = await openReferences({ ...deps, em: tx }, environmentId, rows);
      return {
        environment: {
          environmentId,
          generation: Number(row?.generation ?? 0),
          pipelines: rows.map((pipeline, index) => withReferences(pipeline, opened[index])),
        },
        nodes: nodes.map((node) => ({ ...node, generation: Number(node.generation) })),
      };
    },
    { readOnly: true, isolationLevel: "repeatable read" as never },
  );
}

function withReferences(
  { references: _references, problem, ...pipeline }: PipelineRow,
  opened: OpenedReferences | undefined,
): DesiredPipeline {
  return {
    ...pipeline,
    secrets: opened?.secrets ?? [],
    certificates: opened?.certificates ?? [],
    complete: problem === null && opened !== undefined,
  };
}
