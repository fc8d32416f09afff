import type { EntityManager } from "@mikro-orm/postgresql";
import { notFound } from "../errors.ts";

/** A version as people see it. */
export interface VersionView {
  readonly id: string;
  readonly pipelineId: string;
  readonly version: number;
  readonly configYaml: string;
  readonly changelog: string | null;
  readonly createdBy: string | null;
  readonly createdAt: Date;
  readonly current: boolean;
  readonly paused: boolean;
}

const columns = (withText: boolean): string => `v."id", v."pipelineId", v."version", v."changelog",
  ${withText ? `v."configYaml"` : `'' as "configYaml"`}, v."createdAt",
  coalesce(u."name", u."email") as "createdBy", v."version" is not distinct from p."deployedVersion" as "current",
  v."version" is not distinct from p."pausedVersion" as "paused"`;

const from = `"PipelineVersion" v join "Pipeline" p on p."id" = v."pipelineId"
  left join "User" u on u."id" = v."createdById"`;

/** Versions below the given one, newest first, without their texts. */
export function listVersions(
  em: EntityManager,
  pipelineId: string,
  below: number | undefined,
  limit: number,
): Promise<VersionView[]> {
  return em.execute<VersionView[]>(
    `select ${columns(false)} from ${from} where v."pipelineId" = ? and v."version" < ?
     order by v."version" desc limit ?`,
    [pipelineId, below ?? 2_147_483_647, limit],
  );
}

export async function readVersion(
  em: EntityManager,
  pipelineId: string,
  version: number,
): Promise<VersionView> {
  const [row] = await em.execute<VersionView[]>(
    `select ${columns(true)} from ${from} where v."pipelineId" = ? and v."version" = ?`,
    [pipelineId, version],
  );
  if (row === undefined) throw notFound("version", String(version));
  return row;
}

/** Whether the draft of a pipeline is not what was published last. */
export async function hasUndeployedText(
  em: EntityManager,
  { id, yaml }: { readonly id: string; readonly yaml: string },
): Promise<boolean> {
  const [newest] = await em.execute<{ same: boolean }[]>(
    `select "sourceYaml" = ? as "same" from "PipelineVersion" where "pipelineId" = ?
     order by "version" desc limit 1`,
    [yaml, id],
  );
  return newest?.same !== true;
}
