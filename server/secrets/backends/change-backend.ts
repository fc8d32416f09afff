import { createHash } from "node:crypto";
import { audit, diffOf } from "../../audit/audit.ts";
import { announce } from "../../db/changes.ts";
import { transact } from "../../db/transaction.ts";
import type { ServerDeps } from "../../deps.ts";
import { DomainError, FieldViolations } from "../../errors.ts";
import { lockDelivery } from "../../pipelines/delivery/delivery.ts";
import { teamIdOf } from "../../pipelines/pipelines.ts";
import type { Scope } from "../../scope.ts";
import { BackendFailure, type SecretReference } from "./backend.ts";
import {
  checkReference,
  checkSettings,
  destinationOf,
  needsCredential,
  type BackendSettings,
  type ExternalSettings,
} from "./settings.ts";
import {
  configOf,
  credentialContext,
  openStored,
  readBackend,
  type StoredBackend,
} from "./stored-backend.ts";

type Deps = Pick<ServerDeps, "sealer" | "backends" | "config">;

/** What an admin asks for; an empty credential is the one that is kept. */
export interface BackendInput {
  readonly environmentId: string;
  readonly settings: BackendSettings;
  readonly credential: string;
}

/** The credential that settings will sign in with. Adds a violation when there is none that may be used. */
async function credentialFor(
  scope: Pick<Scope, "em">,
  deps: Deps,
  { environmentId, settings, credential }: BackendInput,
  violations: FieldViolations,
): Promise<string> {
  if (!needsCredential(settings)) return "";
  if (credential !== "") {
    if (credential.length > 4096 || /[^\x21-\x7e]/.test(credential)) {
      violations.add("credential", "must be at most 4096 characters without spaces");
    }
    return credential;
  }
  const stored = await readBackend(scope.em, environmentId);
  const kept = keptCredential(deps, stored);
  if (kept === "") violations.add("credential", "is required");
  else if (destinationOf(stored.settings) !== destinationOf(settings)) {
    violations.add(
      "credential",
      "is required again: one that is kept is sent to no other address and used for no other sign-in",
    );
  }
  return kept;
}

/** Empty when there is none that can be read. */
function keptCredential({ sealer }: Deps, stored: StoredBackend): string {
  try {
    return openStored(sealer, stored)?.credential ?? "";
  } catch (error) {
    if (error instanceof BackendFailure) return "";
    throw error;
  }
}

/** Replaces the backend of an environment. Secrets keep the values they have until the new one gives others. */
export async function updateBackend(
  scope: Scope,
  deps: Deps,
  input: BackendInput & { readonly etag: string },
): Promise<string> {
  const violations = new FieldViolations();
  checkSettings(input.settings, deps.config.secretBackends, violations);
  return transact(scope, async (tx) => {
    const { environmentId, settings } = input;
    await lockDelivery(tx, environmentId);
    const before = await readBackend(tx.em, environmentId);
    if (before.etag !== input.etag) {
      throw new DomainError(
        "stale",
        "secret_backend_changed",
        "someone else changed where secrets are kept: look again",
      );
    }
    const credential = await credentialFor(tx, deps, input, violations);
    violations.throwIfAny();
    const sealed =
      credential === ""
        ? null
        : input.credential === "" && before.sealedCredential !== null
          ? before.sealedCredential
          : deps.sealer.seal(credentialContext(environmentId), credential);
    const config = configOf(settings);
    await tx.em.execute(
      `update "Environment" set "secretBackend" = ?, "secretBackendConfig" = ?::jsonb,
         "secretBackendCredential" = ?, "secretBackendStatus" = null where "id" = ?`,
      [settings.kind, config === null ? null : JSON.stringify(config), sealed, environmentId],
    );
    if (before.settings.kind !== settings.kind) {
      // Their references are for the other one: people have to give new ones, or values.
      await tx.em.execute(
        `update "Secret" set "readFailure" = 'settings' where "environmentId" = ? and "reference" is not null`,
        [environmentId],
      );
    }
    audit(tx, {
      action: "environment.secret_backend_changed",
      entityType: "Environment",
      entityId: environmentId,
      teamId: await teamIdOf(tx, environmentId),
      environmentId,
      diff: diffOf(shortened(before.settings), shortened(settings)),
      metadata: { newCredential: input.credential !== "" },
    });
    await announce(tx.em, { kind: "seen", environmentId, topic: "environment" });
    return (await readBackend(tx.em, environmentId)).etag;
  });
}

/** For the audit: certificates are long, and public. */
function shortened(settings: BackendSettings): Record<string, unknown> {
  const caPem = "caPem" in settings ? settings.caPem : "";
  const digest = createHash("sha256").update(caPem).digest("hex").slice(0, 16);
  return { ...settings, ...(caPem !== "" && { caPem: `sha256:${digest}` }) };
}

/** How far settings came. */
export interface BackendTest {
  readonly failure: BackendFailure | undefined;
  readonly message: string;
}

/**
 * Tries settings without saving them. What went wrong is told in words that have no host, port or system error in
 * them (X4); those are in the log.
 */
export async function testBackend(
  scope: Scope,
  deps: Deps,
  input: BackendInput & { readonly reference: SecretReference | undefined },
): Promise<BackendTest> {
  const violations = new FieldViolations();
  const { settings, environmentId } = input;
  if (settings.kind === "BUILTIN") {
    violations.add("settings.backend", "has nothing to test: values are kept here");
  }
  checkSettings(settings, deps.config.secretBackends, violations);
  const credential = await credentialFor(scope, deps, input, violations);
  const reference =
    input.reference === undefined || settings.kind === "BUILTIN"
      ? undefined
      : checkReference(input.reference, settings, violations);
  violations.throwIfAny();
  // Checked above.
  const external = settings as ExternalSettings;
  const test = await tryBackend(scope, deps, { settings: external, credential }, reference);
  await transact(scope, async (tx) => {
    audit(tx, {
      action: "environment.secret_backend_tested",
      entityType: "Environment",
      entityId: environmentId,
      teamId: await teamIdOf(tx, environmentId),
      environmentId,
      metadata: {
        backend: settings.kind,
        works: test.failure === undefined,
        ...("address" in settings && { address: settings.address }),
        ...("endpoint" in settings && { endpoint: settings.endpoint }),
        ...(reference !== undefined && { path: reference.path }),
      },
    });
  });
  return test;
}

async function tryBackend(
  scope: Scope,
  deps: Deps,
  open: { readonly settings: ExternalSettings; readonly credential: string },
  reference: SecretReference | undefined,
): Promise<BackendTest> {
  try {
    await using client = deps.backends.open(open);
    const signIn = await client.check(scope.signal);
    if (reference === undefined) return { failure: undefined, message: signIn };
    const [outcome] = await client.read([reference], scope.signal);
    if (outcome?.kind === "failed") throw outcome.failure;
    return { failure: undefined, message: `${signIn}, and the secret can be read` };
  } catch (error) {
    if (!(error instanceof BackendFailure)) throw error;
    scope.log.info("a backend of secrets was tested and failed", {
      failure: error.kind,
      error: error.cause ?? error,
    });
    return { failure: error, message: error.message };
  }
}
