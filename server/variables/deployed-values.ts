import type { Scope } from "../scope.ts";

/** Values of variables that hosts run with, by pipeline id and name. */
export type DeployedValues = ReadonlyMap<string, Readonly<Record<string, string>>>;

export async function readDeployedValues(
  scope: Pick<Scope, "em">,
  environmentId: string,
): Promise<DeployedValues> {
  const rows = await scope.em.execute<{ id: string; variables: Record<string, string> }[]>(
    `select p."id", v."variables" from "Pipeline" p
     join "PipelineVersion" v on v."pipelineId" = p."id" and v."version" = p."deployedVersion"
     where p."environmentId" = ? and v."variables" <> '{}'`,
    [environmentId],
  );
  return new Map(rows.map(({ id, variables }) => [id, variables]));
}
