import { loadCatalogue } from "../configuration/catalogue.ts";
import type { PipelineCompiler } from "../configuration/compiler.ts";
import type { Scope } from "../scope.ts";
import { findSchema, isVersion } from "./component-schemas.ts";
import { compareVersions, type VersionDifference } from "./version-difference.ts";

/** The versions of Vector on the hosts of an environment, lowest first. */
export interface VersionsInUse {
  readonly present: readonly string[];
  /** Of those that differ from what the product knows, where their own schema is known. */
  readonly differences: readonly VersionDifference[];
}

/** More are not looked at. */
const maximumVersions = 20;

export async function versionsInUse(
  scope: Scope,
  compiler: PipelineCompiler,
  environmentId: string,
): Promise<VersionsInUse> {
  const rows = await scope.em.execute<{ version: string }[]>(
    `select distinct "vectorVersion" as "version" from "VectorNode"
     where "environmentId" = ? and "nodeTokenHash" is not null and "vectorVersion" is not null
       and coalesce("metadata" ->> 'simulated', 'false') <> 'true' limit ${maximumVersions}`,
    [environmentId],
  );
  const present = rows
    .map(({ version }) => version)
    .filter(isVersion)
    .toSorted(compareVersions);
  const shipped = loadCatalogue().vectorVersion;
  const differences = await Promise.all(
    present
      .filter((version) => version !== shipped)
      .map((version) => compiler.difference(version, () => findSchema(scope, version))),
  );
  return { present, differences: differences.filter((difference) => difference !== undefined) };
}
