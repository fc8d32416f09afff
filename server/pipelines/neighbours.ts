import { networkUse } from "#common/policy/component-facts.ts";
import type { Scope } from "../scope.ts";
import { loadCatalogue } from "../configuration/catalogue.ts";
import { isRecord } from "../configuration/graph.ts";
import { listenersOf, type Neighbour } from "../configuration/check/listeners.ts";

/** Which hosts a text is meant for. */
export interface Placement {
  readonly environmentId: string;
  /** Absent for a pipeline that does not exist yet. */
  readonly pipelineId?: string;
  /** JSON; null for all hosts of the environment. */
  readonly selector: string | null;
}

/** Types that may listen, of sources and sinks alike. */
function listeningTypes(): readonly string[] {
  const catalogue = loadCatalogue();
  return (["source", "sink"] as const).flatMap((kind) =>
    catalogue.types(kind).filter((type) => networkUse(kind, type) === "listens"),
  );
}

/** More are not looked at. */
const maximumComponents = 2000;

/** The other deployed pipelines that run on one of the same hosts, with what they listen on by their drafts. */
export async function findNeighbours(
  scope: Scope,
  { environmentId, pipelineId = "", selector }: Placement,
): Promise<readonly Neighbour[]> {
  const rows = await scope.em.execute<
    {
      pipelineName: string;
      key: string;
      kind: "source" | "sink";
      type: string;
      config: unknown;
    }[]
  >(
    `select p."name" as "pipelineName", c."componentKey" as "key", lower(c."kind"::text) as "kind",
       c."componentType" as "type", c."config"
     from "Pipeline" p join "PipelineNode" c on c."pipelineId" = p."id" and c."componentType" in (?)
     where p."environmentId" = ? and p."id" <> ? and p."deployedVersion" is not null
       and exists (select 1 from "VectorNode" n where n."environmentId" = p."environmentId"
         and n."nodeTokenHash" is not null
         and (p."nodeSelector" is null or "node_selector_matches"(p."nodeSelector", n."labels"))
         and (?::jsonb is null or "node_selector_matches"(?::jsonb, n."labels")))
     order by lower(p."name"), c."ordinal" limit ${maximumComponents}`,
    [listeningTypes(), environmentId, pipelineId, selector, selector],
  );
  return [...Map.groupBy(rows, ({ pipelineName }) => pipelineName)]
    .map(([name, components]) => ({
      name,
      listeners: components.flatMap((row) =>
        listenersOf({ ...row, config: isRecord(row.config) ? row.config : {} }),
      ),
    }))
    .filter(({ listeners }) => listeners.length > 0);
}
