import type { Scope } from "../scope.ts";
import { AuditLog } from "./audit-log.entity.ts";

/** What was done, and to what. Values of secrets never go into it. */
export interface AuditEntry {
  /** Dotted, as in `pipeline.created`. */
  readonly action: string;
  readonly entityType: string;
  readonly entityId: string;
  readonly teamId?: string | null;
  readonly environmentId?: string | null;
  /** Before and after of each changed field. */
  readonly diff?: Record<string, { readonly before: unknown; readonly after: unknown }>;
  readonly metadata?: Record<string, unknown>;
}

/** Records an action in the transaction of the change (X8). */
export function audit(scope: Scope, entry: AuditEntry): void {
  const { actor } = scope;
  scope.em.create(
    AuditLog,
    {
      action: entry.action,
      entityType: entry.entityType,
      entityId: entry.entityId,
      teamId: entry.teamId ?? null,
      environmentId: entry.environmentId ?? null,
      diff: entry.diff ?? null,
      metadata: {
        ...entry.metadata,
        ...(actor.kind === "node" ? { nodeId: actor.nodeId } : {}),
        ...(actor.kind === "user" && actor.apiToken !== undefined
          ? { apiTokenId: actor.apiToken.id, apiTokenName: actor.apiToken.name }
          : {}),
      },
      ipAddress: actor.kind === "system" ? null : (actor.ipAddress ?? null),
      userId: actor.kind === "user" ? actor.userId : null,
      userEmail: actor.kind === "user" ? actor.email : null,
      userName: actor.kind === "user" ? (actor.name ?? null) : null,
      createdAt: scope.clock.now(),
    },
    { persist: true },
  );
}

/** The fields that differ, for AuditEntry.diff. */
export function diffOf(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Record<string, { before: unknown; after: unknown }> {
  const keys = Object.keys(after).filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
  return Object.fromEntries(
    keys.map((key) => [key, { before: before[key] ?? null, after: after[key] ?? null }]),
  );
}
