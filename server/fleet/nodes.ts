import type { EntityManager } from "@mikro-orm/postgresql";
import { audit, diffOf } from "../audit/audit.ts";
import { announce } from "../db/changes.ts";
import { transact } from "../db/transaction.ts";
import { FieldViolations, notFound } from "../errors.ts";
import { selectedBy } from "../pipelines/delivery/delivery-sql.ts";
import { teamIdOf } from "../pipelines/pipelines.ts";
import { previewLabels } from "../pipelines/delivery/targeting.ts";
import type { Scope } from "../scope.ts";
import {
  VectorNode,
  type NodeMetadata,
  type ReportedPolicy,
  type Usage,
} from "./vector-node.entity.ts";

/** A node as people see it. */
export interface NodeView {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly environmentId: string;
  readonly status: "HEALTHY" | "DEGRADED" | "UNREACHABLE" | "UNKNOWN";
  readonly statusReasons: string[];
  readonly lastSeen: Date | null;
  readonly enrolledAt: Date | null;
  readonly agentVersion: string | null;
  readonly vectorVersion: string | null;
  readonly os: string | null;
  readonly metadata: NodeMetadata | null;
  readonly maintenanceMode: boolean;
  readonly maintenanceModeAt: Date | null;
  readonly revoked: boolean;
  readonly labels: Record<string, string>;
  readonly usage: Usage | null;
  readonly fenced: boolean;
  readonly changedAt: Date;
  readonly pipelinesRunning: number;
  readonly pipelinesTotal: number;
}

const nodeColumns = `n."id", n."name", n."host", n."environmentId", n."status", n."statusReasons", n."lastSeen",
  n."enrolledAt", n."agentVersion", n."vectorVersion", n."os", n."metadata", n."maintenanceMode",
  n."maintenanceModeAt", n."nodeTokenHash" is null as "revoked", n."labels", n."usage", n."fenced",
  n."changedAt", coalesce(s."running", 0) as "pipelinesRunning", coalesce(s."total", 0) as "pipelinesTotal"`;

/** Counts only pipelines that are deployed: what was removed from a node is no part of a total (S6). */
const nodeFrom = `"VectorNode" n left join lateral (
    select count(*) filter (where s."status" = 'RUNNING')::int as "running", count(*)::int as "total"
    from "NodePipelineStatus" s join "Pipeline" p on p."id" = s."pipelineId"
    where s."nodeId" = n."id" and p."deployedVersion" is not null and ${selectedBy("n")}
  ) s on true`;

/** Nodes of an environment by name and id, after the given place. */
export async function listNodes(
  scope: Pick<Scope, "em">,
  environmentId: string,
  after: { readonly name: string; readonly id: string } | undefined,
  limit: number,
): Promise<NodeView[]> {
  const place = after === undefined ? "" : `and (lower(n."name"), n."id") > (?, ?)`;
  return scope.em.execute<NodeView[]>(
    `select ${nodeColumns} from ${nodeFrom} where n."environmentId" = ? ${place}
     order by lower(n."name"), n."id" limit ?`,
    [environmentId, ...(after === undefined ? [] : [after.name, after.id]), limit],
  );
}

/** Nodes of an environment that changed at or after a moment. */
export async function listChangedNodes(
  em: EntityManager,
  environmentId: string,
  since: Date,
): Promise<NodeView[]> {
  return em.execute<NodeView[]>(
    `select ${nodeColumns} from ${nodeFrom} where n."environmentId" = ? and n."changedAt" >= ?`,
    [environmentId, since],
  );
}

export async function getNode(scope: Pick<Scope, "em">, id: string): Promise<NodeView> {
  const [node] = await scope.em.execute<NodeView[]>(
    `select ${nodeColumns} from ${nodeFrom} where n."id" = ?`,
    [id],
  );
  if (node === undefined) throw notFound("node", id);
  return node;
}

/** What a host's own policy says; null when it has none. */
export async function getHostPolicy(
  scope: Pick<Scope, "em">,
  nodeId: string,
): Promise<ReportedPolicy | null> {
  const node = await scope.em.findOne(VectorNode, { id: nodeId }, { fields: ["hostPolicy"] });
  return node?.hostPolicy ?? null;
}

export interface NodeChange {
  readonly id: string;
  readonly name?: string | undefined;
  readonly maintenance?: boolean | undefined;
  /** Replaces all labels. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Changes a node. Maintenance and labels reach its agent by push (P4). */
export async function updateNode(scope: Scope, change: NodeChange): Promise<void> {
  const violations = new FieldViolations();
  const name = change.name === undefined ? undefined : violations.text("name", change.name, 1, 200);
  const labels = change.labels;
  if (labels !== undefined) checkLabels(labels, violations);
  violations.throwIfAny();
  await transact(scope, async (tx) => {
    const node = await tx.em.findOne(VectorNode, { id: change.id });
    if (node === null) throw notFound("node", change.id);
    const now = scope.clock.now();
    const before = {
      name: node.name,
      maintenanceMode: node.maintenanceMode,
      labels: node.labels,
    };
    const after = {
      name: name ?? node.name,
      maintenanceMode: change.maintenance ?? node.maintenanceMode,
      labels: { ...(labels ?? node.labels) },
    };
    const diff = diffOf(before, after);
    if (Object.keys(diff).length === 0) return;
    const stateChanges = diff["maintenanceMode"] !== undefined || diff["labels"] !== undefined;
    const moved =
      diff["labels"] === undefined ? [] : await previewLabels(tx.em, node, after.labels);
    tx.em.assign(node, {
      ...after,
      changedAt: now,
      generation: node.generation + (stateChanges ? 1 : 0),
      maintenanceModeAt:
        diff["maintenanceMode"] === undefined
          ? (node.maintenanceModeAt ?? null)
          : after.maintenanceMode
            ? now
            : null,
    });
    const { environmentId } = node;
    audit(tx, {
      action: "node.updated",
      entityType: "VectorNode",
      entityId: node.id,
      teamId: await teamIdOf(tx, environmentId),
      environmentId,
      diff,
      ...(moved.length === 0
        ? {}
        : {
            metadata: {
              pipelines: moved
                .slice(0, 50)
                .map(({ name: pipeline, effect }) => ({ pipeline, effect })),
            },
          }),
    });
    if (stateChanges) await announce(tx.em, { kind: "desired", environmentId });
    await announce(tx.em, { kind: "seen", environmentId });
  });
}

function checkLabels(labels: Readonly<Record<string, string>>, violations: FieldViolations): void {
  const entries = Object.entries(labels);
  if (entries.length > 64) violations.add("labels", "may have at most 64 entries");
  for (const [key, value] of entries) {
    if (!/^[A-Za-z0-9][A-Za-z0-9_./-]{0,62}$/.test(key)) {
      violations.add(
        `labels.${key.slice(0, 70)}`,
        "is no label name: use letters, digits, _ . / -",
      );
    }
    if (value.length > 200)
      violations.add(`labels.${key.slice(0, 70)}`, "must have at most 200 characters");
  }
}

/** Removes a node with its series and revokes its token. */
export async function deleteNode(scope: Scope, id: string): Promise<void> {
  await transact(scope, async (tx) => {
    const node = await tx.em.findOne(VectorNode, { id });
    if (node === null) throw notFound("node", id);
    const { environmentId, name, host } = node;
    const teamId = await teamIdOf(tx, environmentId);
    await tx.em.nativeDelete(VectorNode, { id });
    audit(tx, {
      action: "node.deleted",
      entityType: "VectorNode",
      entityId: id,
      teamId,
      environmentId,
      metadata: {
        name,
        host,
      },
    });
    await announce(tx.em, { kind: "node_revoked", nodeId: id });
    await announce(tx.em, { kind: "seen", environmentId });
  });
}

/**
 * Calls nodes unreachable whose lease is over, by the server's own clock; nothing needs to arrive for it.
 * Returns the environments in which something changed.
 */
export async function expireLeases(
  em: EntityManager,
  now: Date,
  lease: number,
): Promise<readonly string[]> {
  const rows = await em.execute<{ environmentId: string }[]>(
    `update "VectorNode" set "status" = 'UNREACHABLE', "changedAt" = ?,
       "statusReasons" = jsonb_build_array('no heartbeat since ' ||
         to_char("lastHeartbeat" at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC')
     where "status" in ('HEALTHY', 'DEGRADED') and "lastHeartbeat" < ?
     returning "environmentId"`,
    [now, new Date(now.getTime() - lease)],
  );
  return [...new Set(rows.map(({ environmentId }) => environmentId))];
}
