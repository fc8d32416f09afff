import { audit } from "../audit/audit.ts";
import type { RateLimiter } from "../auth/rate-limiter.ts";
import { hashToken, newToken } from "../auth/tokens.ts";
import { announce } from "../db/changes.ts";
import { newId } from "../db/columns.ts";
import type { DeploymentMode } from "../db/enums.ts";
import { transact } from "../db/transaction.ts";
import { Environment } from "../environments/environment.entity.ts";
import { tokenHintLength } from "../environments/environments.ts";
import { DomainError } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { VectorNode, type NodeMetadata, type ReportedPolicy } from "./vector-node.entity.ts";

/** What a host says of itself. */
export interface HostFacts {
  readonly hostname: string;
  readonly os: string;
  readonly agentVersion: string;
  readonly vectorVersion: string;
  readonly deploymentMode: DeploymentMode;
  readonly metadata: NodeMetadata;
  /** Null when the host has none. */
  readonly hostPolicy: ReportedPolicy | null;
}

export interface EnrollmentInput {
  readonly enrollmentToken: string;
  readonly machineId: string;
  readonly host: HostFacts;
}

export interface Enrollment {
  readonly nodeId: string;
  readonly nodeToken: string;
  readonly environmentId: string;
  readonly environmentName: string;
}

/**
 * Enrolls a machine, or gives a machine that was enrolled its node back with a new token. Throws
 * `unauthenticated` for an unknown token; refusals reach the audit at most once a minute per address.
 */
export async function enroll(
  scope: Scope,
  limiter: RateLimiter,
  input: EnrollmentInput,
): Promise<Enrollment> {
  const tokenHash = hashToken(input.enrollmentToken);
  const environment = await scope.em.findOne(Environment, { enrollmentTokenHash: tokenHash });
  if (environment === null) {
    await refuse(scope, limiter, input);
    throw new DomainError(
      "unauthenticated",
      "enrollment_token_unknown",
      "the enrollment token is not valid: copy the current one from Hosts, Add a host",
    );
  }
  // After the token, so that an agent can ask whether its token is good without using it up.
  if (!/^[0-9a-zA-Z_-]{16,128}$/.test(input.machineId)) {
    throw new DomainError(
      "invalid",
      "machine_id_invalid",
      "the machine id needs 16 to 128 letters or digits",
    );
  }
  const nodeToken = newToken("vfn");
  const nodeId = await transact(scope, async (tx) => {
    const now = scope.clock.now();
    const known = await tx.em.findOne(VectorNode, {
      environmentId: environment.id,
      machineId: input.machineId,
    });
    const { metadata, hostname, ...facts } = input.host;
    const values = {
      ...facts,
      host: hostname,
      metadata,
      nodeTokenHash: hashToken(nodeToken),
      enrolledAt: now,
      changedAt: now,
    };
    const node =
      known ??
      tx.em.create(VectorNode, {
        id: newId(),
        name: hostname,
        environmentId: environment.id,
        machineId: input.machineId,
        // The mapping's defaults are SQL, and would be stored as texts.
        labels: {},
        statusReasons: [],
        capabilities: [],
        ...values,
      });
    if (known !== null) tx.em.assign(known, values);
    await tx.em.flush();
    audit(
      { ...tx, actor: { kind: "node", nodeId: node.id, ipAddress: addressOf(scope) } },
      {
        action: known === null ? "node.enrolled" : "node.re_enrolled",
        entityType: "VectorNode",
        entityId: node.id,
        teamId: environment.teamId ?? null,
        environmentId: environment.id,
        metadata: { host: hostname },
      },
    );
    if (known !== null) await announce(tx.em, { kind: "node_revoked", nodeId: node.id });
    await announce(tx.em, { kind: "seen", environmentId: environment.id, topic: "environment" });
    return node.id;
  });
  return {
    nodeId,
    nodeToken,
    environmentId: environment.id,
    environmentName: environment.name,
  };
}

function addressOf(scope: Scope): string | undefined {
  return scope.actor.kind === "system" ? undefined : scope.actor.ipAddress;
}

/**
 * The environment that a token once belonged to, by the first characters that its creation left in the audit: so the
 * people who handed it out learn that a host still uses it.
 */
async function findFormerOwner(
  tx: Scope,
  token: string,
): Promise<{ id: string; teamId: string | null } | undefined> {
  const hint = token.slice(0, tokenHintLength);
  if (hint.length < tokenHintLength) return undefined;
  const [owner] = await tx.em.execute<{ id: string; teamId: string | null }[]>(
    `select e."id", e."teamId" from "AuditLog" a join "Environment" e on e."id" = a."entityId"
     where a."entityType" = 'Environment' and a."action" = 'environment.enrollment_token_created'
       and a."metadata" ->> 'hint' = ? order by a."createdAt" desc limit 1`,
    [hint],
  );
  return owner;
}

async function refuse(scope: Scope, limiter: RateLimiter, input: EnrollmentInput): Promise<void> {
  if (!limiter.take(addressOf(scope) ?? "")) return;
  await transact(scope, async (tx) => {
    const owner = await findFormerOwner(tx, input.enrollmentToken);
    audit(tx, {
      action: "node.enrollment_refused",
      entityType: "VectorNode",
      entityId: "",
      teamId: owner?.teamId ?? null,
      environmentId: owner?.id ?? null,
      metadata: {
        host: input.host.hostname,
        machineId: input.machineId,
        reason: owner === undefined ? "token_unknown" : "token_replaced",
      },
    });
    if (owner !== undefined) {
      await announce(tx.em, { kind: "seen", environmentId: owner.id, topic: "environment" });
    }
  });
}
