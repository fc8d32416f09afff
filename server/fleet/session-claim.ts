import { audit } from "../audit/audit.ts";
import type { RateLimiter } from "../auth/rate-limiter.ts";
import { announce } from "../db/changes.ts";
import { transact } from "../db/transaction.ts";
import { DomainError } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { clean } from "./text.ts";
import type { VectorNode } from "./vector-node.entity.ts";

/** Who wants to hold a node's session. */
export interface Claim {
  readonly sessionId: string;
  /** Stable id of the agent's installation; empty from an older agent. */
  readonly machineId: string;
  readonly hostBootId: string;
  readonly hostname: string;
}

/** Heartbeats that may be late before another machine is believed to be the one that lives. */
const aliveBeats = 1.5;
const aliveSpareMs = 3_000;

/**
 * Gives the node's session to this machine. The same machine always gets it, and any machine does when the one
 * before has fallen silent, as after a reboot. A machine that holds a copy of a living host's identity is refused:
 * two hosts under one name would take turns, and neither would be what people see (A15).
 *
 * Throws `conflict`. The refusal is told to the replica that has the living session, and to the audit at most once
 * a minute for each node.
 */
export async function claimSession(
  scope: Scope,
  limiter: RateLimiter,
  node: VectorNode,
  claim: Claim,
  intervalMs: number,
): Promise<void> {
  const machine = machineOf(claim);
  const silentSince = new Date(
    scope.clock.now().getTime() - intervalMs * aliveBeats - aliveSpareMs,
  );
  const taken = await scope.em.execute<unknown[]>(
    `update "VectorNode" set "sessionId" = ?, "sessionMachine" = ?
     where "id" = ? and ("sessionMachine" is null or "sessionMachine" = ? or ? = '' or "lastSeen" is null
       or "lastSeen" < ?) returning "id"`,
    [claim.sessionId, machine, node.id, machine, machine, silentSince],
  );
  if (taken.length > 0) return;
  await refuse(scope, limiter, node, claim);
  throw new DomainError(
    "conflict",
    "node_cloned",
    `another machine is connected as ${node.name}: this one seems to be a copy of its disk. Run enroll --as-new on the copy, which makes it a host of its own`,
  );
}

/** The session is over. A later one of the same node is left alone. */
export async function releaseSession(
  em: Scope["em"],
  nodeId: string,
  sessionId: string,
): Promise<void> {
  await em.execute(
    `update "VectorNode" set "sessionId" = null, "sessionMachine" = null where "id" = ? and "sessionId" = ?`,
    [nodeId, sessionId],
  );
}

function machineOf({ machineId, hostBootId }: Claim): string {
  return machineId === "" ? "" : clean(`${machineId}/${hostBootId}`, 300);
}

async function refuse(
  scope: Scope,
  limiter: RateLimiter,
  node: VectorNode,
  { hostname }: Claim,
): Promise<void> {
  const address = scope.actor.kind === "system" ? "" : (scope.actor.ipAddress ?? "");
  const rival = clean(`${hostname} at ${address}`, 200);
  await announce(scope.em, { kind: "node_cloned", nodeId: node.id, rival });
  if (!limiter.take(node.id)) return;
  await transact(scope, async (tx) => {
    audit(tx, {
      action: "node.clone_refused",
      entityType: "VectorNode",
      entityId: node.id,
      environmentId: node.environmentId,
      metadata: { rival },
    });
  });
}
