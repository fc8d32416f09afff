import type { EntityManager } from "@mikro-orm/postgresql";
import type { ComponentKind } from "../db/enums.ts";

/** A component as the graph has it. */
export interface ComponentRow {
  readonly key: string;
  readonly kind: ComponentKind;
  readonly type: string;
  readonly edges: { readonly from: string; readonly output: string | null }[] | null;
}

/** A pipeline in a list. */
export interface PipelineRow {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly environmentId: string;
  readonly isDraft: boolean;
  readonly changed: boolean;
  readonly deployedVersion: number | null;
  readonly pausedVersion: number | null;
  readonly undeployedVersion: number | null;
  readonly deployedAt: Date | null;
  readonly updatedAt: Date;
  readonly updatedBy: string | null;
  readonly components: ComponentRow[];
}

/** For a query over "Pipeline" p, its deployed "PipelineVersion" v and the "User" u who changed it last. */
export const pipelineColumns = `p."id", p."name", p."description", p."environmentId", p."isDraft",
  (coalesce(v."sourceYaml", (
    select w."sourceYaml" from "PipelineVersion" w
    where w."pipelineId" = p."id" and w."version" = p."pausedVersion")) <> p."yaml") is true
  or (v."variables" <> '{}' and exists (
     select 1 from jsonb_each_text(v."variables") made
     left join "Variable" now on now."environmentId" = p."environmentId" and now."name" = made.key
     where now."value" is distinct from made.value)) is true as "changed",
  p."deployedVersion", p."pausedVersion", p."undeployedVersion", p."deployedAt",
  p."updatedAt", coalesce(u."name", u."email") as "updatedBy",
  coalesce((
    select jsonb_agg(jsonb_build_object('key', c."componentKey", 'kind', c."kind", 'type', c."componentType",
      'edges', (
        select jsonb_agg(jsonb_build_object('from', f."componentKey", 'output', e."sourcePort")
          order by f."ordinal", e."sourcePort")
        from "PipelineEdge" e join "PipelineNode" f on f."id" = e."sourceNodeId" where e."targetNodeId" = c."id"))
      order by c."ordinal")
    from "PipelineNode" c where c."pipelineId" = p."id"), '[]'::jsonb) as "components"`;

const pipelineFrom = `"Pipeline" p
  left join "PipelineVersion" v on v."pipelineId" = p."id" and v."version" = p."deployedVersion"
  left join "User" u on u."id" = p."updatedById"`;

/** Pipelines of an environment by name, after the given place. */
export function listPipelines(
  em: EntityManager,
  environmentId: string,
  after: { readonly name: string; readonly id: string } | undefined,
  limit: number,
): Promise<PipelineRow[]> {
  const place = after === undefined ? "" : `and (lower(p."name"), p."id") > (?, ?)`;
  return em.execute<PipelineRow[]>(
    `select ${pipelineColumns} from ${pipelineFrom}
     where p."environmentId" = ? and not p."isSystem" ${place} order by lower(p."name"), p."id" limit ?`,
    [environmentId, ...(after === undefined ? [] : [after.name, after.id]), limit],
  );
}

export async function readPipelineRow(
  em: EntityManager,
  id: string,
): Promise<PipelineRow | undefined> {
  const [row] = await em.execute<PipelineRow[]>(
    `select ${pipelineColumns} from ${pipelineFrom} where p."id" = ?`,
    [id],
  );
  return row;
}
