import type { EntityManager } from "@mikro-orm/postgresql";
import { SealError, type Sealer } from "../../crypto/sealer.ts";
import type { SecretBackend } from "../../db/enums.ts";
import type { SecretBackendStatus } from "../../environments/environment.entity.ts";
import { notFound } from "../../errors.ts";
import { etagFor } from "../../etag.ts";
import { BackendFailure } from "./backend.ts";
import type { OpenSettings } from "./clients.ts";
import { defaultRefreshSeconds, type BackendSettings, type ExternalSettings } from "./settings.ts";

export const credentialContext = (environmentId: string): string =>
  `Environment.secretBackendCredential/${environmentId}`;

/** The backend of an environment as it is kept. */
export interface StoredBackend {
  readonly environmentId: string;
  readonly settings: BackendSettings;
  readonly sealedCredential: string | null;
  readonly status: SecretBackendStatus | null;
  /** Changes with the settings and the credential. */
  readonly etag: string;
}

/** Throws `not_found` when there is no such environment. */
export async function readBackend(
  em: EntityManager,
  environmentId: string,
): Promise<StoredBackend> {
  const [row] = await em.execute<
    {
      kind: SecretBackend;
      config: Record<string, unknown> | null;
      credential: string | null;
      status: SecretBackendStatus | null;
    }[]
  >(
    `select "secretBackend" as "kind", "secretBackendConfig" as "config",
       "secretBackendCredential" as "credential", "secretBackendStatus" as "status"
     from "Environment" where "id" = ?`,
    [environmentId],
  );
  if (row === undefined) throw notFound("environment", environmentId);
  const settings = { ...emptySettings[row.kind], ...row.config, kind: row.kind } as BackendSettings;
  return {
    environmentId,
    settings,
    sealedCredential: row.credential,
    status: row.status,
    etag: etagOf(settings, row.credential),
  };
}

function etagOf(settings: BackendSettings, credential: string | null): string {
  // The database keeps fields in an order of its own.
  const fields = Object.entries(settings).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return etagFor([fields, credential]);
}

/** What a configuration has that something else than `configOf` wrote. It is refused when it is used. */
const emptySettings = {
  BUILTIN: { kind: "BUILTIN" },
  VAULT: {
    kind: "VAULT",
    refreshSeconds: defaultRefreshSeconds,
    pathPrefix: "",
    address: "",
    namespace: "",
    mount: "secret",
    caPem: "",
    auth: "token",
    authMount: "token",
    role: "",
  },
  AWS_SM: {
    kind: "AWS_SM",
    refreshSeconds: defaultRefreshSeconds,
    pathPrefix: "",
    region: "",
    endpoint: "",
    caPem: "",
    accessKeyId: "",
  },
  EXEC: {
    kind: "EXEC",
    refreshSeconds: defaultRefreshSeconds,
    pathPrefix: "",
    command: "",
    backendType: "",
    configJson: "",
  },
} satisfies { readonly [K in SecretBackend]: Extract<BackendSettings, { readonly kind: K }> };

/** What is kept beside the kind; null for the one that has no settings. */
export function configOf(settings: BackendSettings): Record<string, unknown> | null {
  const { kind, ...config } = settings;
  return kind === "BUILTIN" ? null : config;
}

/**
 * Settings with their credential, opened. Undefined when values are kept here. Throws a BackendFailure when the
 * credential was sealed by a secret of the server that nobody has any more.
 */
export function openStored(sealer: Sealer, stored: StoredBackend): OpenSettings | undefined {
  if (stored.settings.kind === "BUILTIN") return undefined;
  const settings: ExternalSettings = stored.settings;
  if (stored.sealedCredential === null) return { settings, credential: "" };
  try {
    const context = credentialContext(stored.environmentId);
    return { settings, credential: sealer.open(context, stored.sealedCredential).toString() };
  } catch (cause) {
    if (!(cause instanceof SealError)) throw cause;
    const message = "the credential that is kept cannot be read any more: give it again";
    throw new BackendFailure("settings", message, { cause });
  }
}
