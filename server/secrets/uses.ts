import type { Scope } from "../scope.ts";
import { listReferences, type ReferenceKind, type References } from "./references.ts";

/** What pipelines may refer to. */
export type UseKind = ReferenceKind | "variable";

/** A pipeline that refers to a secret, certificate or variable, in its draft, in what is deployed, or in both. */
export interface ReferenceUse {
  readonly pipelineId: string;
  readonly pipelineName: string;
  readonly draft: boolean;
  readonly deployed: boolean;
}

interface UsingRow {
  readonly id: string;
  readonly name: string;
  readonly draft: References;
  readonly deployed: References | null;
}

/**
 * Who refers to the names of one kind in an environment: by name, pipelines in their order. What is paused counts as
 * deployed, because it must come back whole.
 */
export async function readUses(
  scope: Pick<Scope, "em">,
  environmentId: string,
  kind: UseKind,
): Promise<ReadonlyMap<string, readonly ReferenceUse[]>> {
  const rows = await scope.em.execute<UsingRow[]>(
    `select p."id", p."name", p."references" as "draft", v."references" as "deployed"
     from "Pipeline" p
     left join "PipelineVersion" v on v."pipelineId" = p."id" and v."version" = coalesce(p."deployedVersion", p."pausedVersion")
     where p."environmentId" = ? and (p."references" <> '{}' or v."references" <> '{}')
     order by lower(p."name")`,
    [environmentId],
  );
  const uses = new Map<string, ReferenceUse[]>();
  for (const row of rows) {
    const draft = namesOf(row.draft, kind);
    const deployed = namesOf(row.deployed ?? {}, kind);
    for (const name of draft.union(deployed)) {
      const use = {
        pipelineId: row.id,
        pipelineName: row.name,
        draft: draft.has(name),
        deployed: deployed.has(name),
      };
      uses.set(name, [...(uses.get(name) ?? []), use]);
    }
  }
  return uses;
}

function namesOf(references: References, kind: UseKind): ReadonlySet<string> {
  if (kind === "variable") return new Set(references.variables);
  return new Set(
    listReferences(references)
      .filter((reference) => reference.kind === kind)
      .map(({ name }) => name),
  );
}

const tables = { secret: "Secret", certificate: "Certificate", variable: "Variable" } as const;

/** The names that are referred to and that the environment does not have, in their order. */
export async function findMissing(
  scope: Pick<Scope, "em">,
  environmentId: string,
  kind: UseKind,
  uses: ReadonlyMap<string, readonly ReferenceUse[]>,
): Promise<readonly (readonly [name: string, uses: readonly ReferenceUse[]])[]> {
  const existing = await scope.em.execute<{ name: string }[]>(
    `select "name" from "${tables[kind]}" where "environmentId" = ?`,
    [environmentId],
  );
  const known = new Set(existing.map(({ name }) => name));
  return [...uses]
    .filter(([name]) => !known.has(name))
    .toSorted(([a], [b]) => a.localeCompare(b, "en"));
}
