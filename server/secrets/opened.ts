import type { EntityManager } from "@mikro-orm/postgresql";
import type { Logger } from "#common/logger.ts";
import type { Sealer } from "../crypto/sealer.ts";
import type { References } from "./references.ts";
import { certificateContext, secretContext } from "./sealed-context.ts";

/** The values that one pipeline names, for the agents that run it. */
export interface OpenedReferences {
  readonly secrets: readonly (readonly [name: string, value: Uint8Array])[];
  readonly certificates: readonly {
    readonly name: string;
    readonly filename: string;
    readonly content: Uint8Array;
  }[];
}

interface StoredRow {
  readonly id: string;
  readonly name: string;
  readonly filename: string;
  readonly sealed: string;
}

/** A body must fit into one message of the agent plane, beside a configuration of 8 MB. */
export const maximumValuesBytes = 2_500_000;

/**
 * Opens what pipelines name, in their order; undefined for one that names something that is missing, cannot be
 * opened, or is too large together. One such pipeline costs only itself.
 */
export async function openReferences(
  deps: { readonly em: EntityManager; readonly sealer: Sealer; readonly log: Logger },
  environmentId: string,
  pipelines: readonly { readonly pipelineId: string; readonly references: References }[],
): Promise<readonly (OpenedReferences | undefined)[]> {
  const names = (kind: keyof References): ReadonlySet<string> =>
    new Set(pipelines.flatMap(({ references }) => references[kind] ?? []));
  const secrets = await openRows(deps, environmentId, "Secret", names("secrets"));
  const certificates = await openRows(deps, environmentId, "Certificate", names("certificates"));
  return pipelines.map(({ pipelineId, references }) => {
    const own = {
      secrets: (references.secrets ?? []).flatMap((name) => secrets.get(name) ?? []),
      certificates: (references.certificates ?? []).flatMap((name) => certificates.get(name) ?? []),
    };
    const found = own.secrets.length + own.certificates.length;
    if (found < (references.secrets ?? []).length + (references.certificates ?? []).length) {
      return undefined;
    }
    const sizeBytes = [...own.secrets, ...own.certificates].reduce(
      (sum, { content }) => sum + content.length,
      0,
    );
    if (sizeBytes > maximumValuesBytes) {
      deps.log.error("the values of a pipeline are too large together", { pipelineId, sizeBytes });
      return undefined;
    }
    return {
      secrets: own.secrets.map(({ name, content }) => [name, content] as const),
      certificates: own.certificates,
    };
  });
}

type Opened = OpenedReferences["certificates"][number];

async function openRows(
  { em, sealer, log }: { em: EntityManager; sealer: Sealer; log: Logger },
  environmentId: string,
  table: "Secret" | "Certificate",
  names: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Opened>> {
  if (names.size === 0) return new Map();
  const columns =
    table === "Secret"
      ? `"id", "name", '' as "filename", "encryptedValue" as "sealed"`
      : `"id", "name", "filename", "encryptedData" as "sealed"`;
  const rows = await em.execute<StoredRow[]>(
    `select ${columns} from "${table}" where "environmentId" = ?`,
    [environmentId],
  );
  const opened = new Map<string, Opened>();
  for (const { id, name, filename, sealed } of rows) {
    // A secret that its backend never gave is as good as none.
    if (!names.has(name) || sealed === "") continue;
    const context = table === "Secret" ? secretContext(id) : certificateContext(id);
    try {
      opened.set(name, { name, filename, content: sealer.open(context, sealed) });
    } catch (error) {
      log.error("cannot open a stored value", { environmentId, table, name, error });
    }
  }
  return opened;
}
