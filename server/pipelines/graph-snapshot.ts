import type { Scope } from "../scope.ts";

/** A component of a version, as PipelineNode has it. */
export interface NodeSnapshot {
  readonly componentKey: string;
  readonly kind: "SOURCE" | "TRANSFORM" | "SINK";
  readonly componentType: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly positionX: number;
  readonly positionY: number;
}

/** A connection of a version, by the keys of its ends. */
export interface EdgeSnapshot {
  readonly source: string;
  /** Null is the default output. */
  readonly sourcePort: string | null;
  readonly target: string;
}

export interface GraphSnapshot {
  readonly nodes: readonly NodeSnapshot[];
  readonly edges: readonly EdgeSnapshot[];
}

/** Reads the graph of a pipeline as it stands, places included. */
export async function readSnapshot(tx: Scope, pipelineId: string): Promise<GraphSnapshot> {
  const nodes = await tx.em.execute<NodeSnapshot[]>(
    `select "componentKey", "kind", "componentType", "config", "positionX", "positionY"
     from "PipelineNode" where "pipelineId" = ? order by "ordinal", "componentKey"`,
    [pipelineId],
  );
  const edges = await tx.em.execute<EdgeSnapshot[]>(
    `select s."componentKey" as "source", e."sourcePort", t."componentKey" as "target"
     from "PipelineEdge" e
     join "PipelineNode" s on s."id" = e."sourceNodeId" join "PipelineNode" t on t."id" = e."targetNodeId"
     where e."pipelineId" = ? order by t."ordinal", s."ordinal", e."sourcePort" nulls first`,
    [pipelineId],
  );
  return { nodes, edges };
}

/** Puts the components of a pipeline where they were. */
export async function restorePlaces(
  tx: Scope,
  pipelineId: string,
  nodes: readonly NodeSnapshot[],
): Promise<void> {
  const places = nodes.map(({ componentKey, positionX, positionY }) => ({
    componentKey,
    positionX,
    positionY,
  }));
  await tx.em.execute(
    `update "PipelineNode" n set "positionX" = s."positionX", "positionY" = s."positionY"
     from jsonb_to_recordset(?::jsonb) as
       s("componentKey" text, "positionX" double precision, "positionY" double precision)
     where n."pipelineId" = ? and n."componentKey" = s."componentKey"`,
    [JSON.stringify(places), pipelineId],
  );
}
