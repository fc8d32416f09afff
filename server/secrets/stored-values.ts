import { announce } from "../db/changes.ts";
import type { SecretBackend } from "../db/enums.ts";
import { unlessTaken } from "../db/unique.ts";
import { DomainError, type FieldViolations } from "../errors.ts";
import { renewDeliveries } from "../pipelines/delivery/delivery.ts";
import type { ServerDeps } from "../deps.ts";
import type { Scope } from "../scope.ts";
import { namePattern, type ReferenceKind } from "./references.ts";
import { readUses } from "./uses.ts";

/** What it takes to keep values: sealed at rest, told apart by digests. */
export type Vault = Pick<ServerDeps, "sealer" | "digests">;

/** Names that objects have anyway. */
const unusableNames = new Set(["__proto__"]);

export function checkName(name: string, violations: FieldViolations): void {
  if (namePattern.test(name) && !unusableNames.has(name)) return;
  violations.add(
    "name",
    name === ""
      ? "is required"
      : "may have letters, digits, _, . and -, at most 128, and starts with a letter or _",
  );
}

/**
 * Lets hosts have what changed: pipelines that refer to it get a new hash, and connected agents the new content
 * at once (P4). Returns the names of the pipelines that hosts get anew.
 */
export async function pushValues(tx: Scope, environmentId: string): Promise<readonly string[]> {
  const renewed = await renewDeliveries(tx, environmentId);
  if (renewed.some(({ changed }) => changed)) {
    await announce(tx.em, { kind: "desired", environmentId });
  }
  // Drafts may have gained or lost a problem.
  await announce(tx.em, { kind: "seen", environmentId, topic: "pipelines" });
  return renewed.filter(({ changed }) => changed).map(({ name }) => name);
}

/** Lists are shown whole, so they are bounded here (S11). */
const maximumPerEnvironment = 1000;

/** Throws `precondition` when the environment keeps values in a backend: then a secret is a reference. */
export async function refuseExternal(tx: Scope, environmentId: string): Promise<void> {
  const [row] = await tx.em.execute<{ backend: SecretBackend }[]>(
    `select "secretBackend" as "backend" from "Environment" where "id" = ?`,
    [environmentId],
  );
  if (row === undefined || row.backend === "BUILTIN") return;
  throw new DomainError(
    "precondition",
    "secret_backend_external",
    "this environment keeps the values of secrets in a backend: put the value there, and refer to it",
  );
}

/** Throws `exhausted` when an environment has all the secrets, or certificates, that it may have. */
export async function refuseTooMany(
  tx: Scope,
  environmentId: string,
  kind: ReferenceKind,
): Promise<void> {
  const table = kind === "secret" ? "Secret" : "Certificate";
  const [row] = await tx.em.execute<{ count: number }[]>(
    `select count(*)::int as "count" from "${table}" where "environmentId" = ?`,
    [environmentId],
  );
  if ((row?.count ?? 0) < maximumPerEnvironment) return;
  throw new DomainError(
    "exhausted",
    `too_many_${kind}s`,
    `an environment may have ${maximumPerEnvironment} ${kind}s: delete what nobody uses`,
  );
}

/** Throws `precondition`, naming the deployed pipelines, unless the caller confirmed to know of them. */
export async function refuseInUse(
  tx: Scope,
  environmentId: string,
  kind: ReferenceKind,
  name: string,
  confirmed: boolean,
): Promise<readonly string[]> {
  const uses = (await readUses(tx, environmentId, kind)).get(name) ?? [];
  const deployed = uses.filter((use) => use.deployed).map(({ pipelineName }) => pipelineName);
  if (deployed.length === 0 || confirmed) return deployed;
  const named = deployed.slice(0, 5).join(", ");
  const more = deployed.length > 5 ? ` and ${deployed.length - 5} more` : "";
  throw new DomainError(
    "precondition",
    `${kind}_in_use`,
    `deployed pipelines use the ${kind} ${name}: ${named}${more}`,
  );
}

export function translateTaken<T>(
  kind: ReferenceKind,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  return unlessTaken(work, () => taken(kind, name));
}

export function taken(kind: ReferenceKind, name: string): DomainError {
  const message = `this environment already has a ${kind} named ${name}`;
  return new DomainError("conflict", `${kind}_name_taken`, message, {
    violations: [{ field: "name", message: "is taken" }],
  });
}
