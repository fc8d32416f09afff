import { audit } from "../audit/audit.ts";
import { newId } from "../db/columns.ts";
import { transact } from "../db/transaction.ts";
import type { AgentHub } from "../fleet/agent-hub.ts";
import type { Tap } from "../fleet/agent-inspection.ts";
import type { Scope } from "../scope.ts";
import { boundedNumber, componentKeysOf, findInspectable, sessionOn } from "./inspectable.ts";
import { readRedaction } from "./redaction.ts";

const intervalMs = 250;

/** Begins a live tap. The audit has its row before the host is asked (X8). */
export async function startTap(
  scope: Scope,
  hub: AgentHub,
  input: {
    readonly pipelineId: string;
    readonly nodeId: string;
    readonly componentKeys: readonly string[];
    readonly eventsPerSecond: number;
    readonly durationMs: number;
  },
): Promise<Tap> {
  const componentKeys = componentKeysOf(input.componentKeys);
  const perSecond = boundedNumber("events_per_second", input.eventsPerSecond, 100, 1, 1000);
  const durationMs = boundedNumber("duration_ms", input.durationMs, 300_000, 1000, 1_800_000);
  const target = await findInspectable(scope, input.pipelineId, input.nodeId, "TAP");
  sessionOn(hub, target);
  const redaction = await readRedaction(scope, target.environmentId);
  const tapId = newId();
  await transact(scope, async (tx) => {
    audit(tx, {
      action: "tap.started",
      entityType: "Pipeline",
      entityId: target.pipelineId,
      teamId: target.teamId,
      environmentId: target.environmentId,
      metadata: { tapId, nodeId: target.nodeId, componentKeys },
    });
  });
  return sessionOn(hub, target).inspection.startTap({
    tapId,
    pipelineId: target.pipelineId,
    componentKeys,
    limitPerInterval: Math.max(1, Math.round((perSecond * intervalMs) / 1000)),
    intervalMs,
    durationMs,
    redaction,
  });
}
