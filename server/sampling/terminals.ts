import { audit } from "../audit/audit.ts";
import { newId } from "../db/columns.ts";
import { transact } from "../db/transaction.ts";
import { DomainError, FieldViolations, notFound } from "../errors.ts";
import type { AgentHub } from "../fleet/agent-hub.ts";
import type { Terminal } from "../fleet/agent-terminals.ts";
import type { Scope } from "../scope.ts";
import { teamOf } from "../teams/access.ts";
import { boundedNumber, findInspectable, sessionOn } from "./inspectable.ts";

const maxInputBytes = 1024;

/** Opens `vector top` on a host. The audit has its row before the host is asked (X8). */
export async function openTerminal(
  scope: Scope,
  hub: AgentHub,
  input: {
    readonly pipelineId: string;
    readonly nodeId: string;
    readonly columns: number;
    readonly rows: number;
  },
): Promise<Terminal> {
  const columns = boundedNumber("columns", input.columns, 80, 20, 500);
  const rows = boundedNumber("rows", input.rows, 24, 5, 200);
  const target = await findInspectable(scope, input.pipelineId, input.nodeId, "TERMINAL");
  sessionOn(hub, target);
  const terminalId = newId();
  await transact(scope, async (tx) => {
    audit(tx, {
      action: "terminal.opened",
      entityType: "Pipeline",
      entityId: target.pipelineId,
      teamId: target.teamId,
      environmentId: target.environmentId,
      metadata: { terminalId, nodeId: target.nodeId },
    });
  });
  const { pipelineId } = target;
  const userId = userOf(scope);
  const order = { terminalId, pipelineId, userId, columns, rows };
  return sessionOn(hub, target).inspection.terminals.open(order);
}

/** Passes keys and sizes on to a terminal of the caller's own. */
export async function controlTerminal(
  scope: Scope,
  hub: AgentHub,
  input: {
    readonly pipelineId: string;
    readonly nodeId: string;
    readonly terminalId: string;
    readonly input: Uint8Array;
    readonly columns: number;
    readonly rows: number;
  },
): Promise<void> {
  const violations = new FieldViolations();
  if (input.input.length > maxInputBytes) {
    violations.add("input", `must have at most ${maxInputBytes} bytes`);
  }
  violations.throwIfAny();
  const session = hub.session(input.nodeId);
  if (session === undefined) {
    throw new DomainError(
      "unavailable",
      "other_replica",
      "the host is not connected to this replica of the server",
    );
  }
  const { terminals } = session.inspection;
  const found = terminals.find(input.terminalId, input.pipelineId, userOf(scope));
  if (found === undefined) throw notFound("terminal", input.terminalId);
  if (input.columns !== 0 || input.rows !== 0) {
    const columns = boundedNumber("columns", input.columns, found.columns, 20, 500);
    const rows = boundedNumber("rows", input.rows, found.rows, 5, 200);
    terminals.resize(input.terminalId, columns, rows);
  }
  if (input.input.length === 0) return;
  if (found.takeFirstUse()) {
    const { teamId } = await teamOf(scope, "pipeline", input.pipelineId);
    await transact(scope, async (tx) => {
      audit(tx, {
        action: "terminal.used",
        entityType: "Pipeline",
        entityId: input.pipelineId,
        teamId,
        environmentId: session.environmentId,
        metadata: { terminalId: input.terminalId, nodeId: input.nodeId },
      });
    });
  }
  terminals.input(input.terminalId, input.input);
}

function userOf(scope: Scope): string {
  return scope.actor.kind === "user" ? scope.actor.userId : "";
}
