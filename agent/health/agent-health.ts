import type { ConnectionState } from "../control/connection-state.ts";
import type { LogSpool } from "../process/log-spool.ts";
import type { RunState } from "../process/pipeline-status.ts";
import type { Reconciler } from "../reconcile/reconciler.ts";

/** What the agent says of itself to the machine it runs on. */
export interface AgentHealth {
  readonly connected: boolean;
  readonly lastConnectedAt: Date | undefined;
  /** Why it is not connected. */
  readonly reason: string;
  readonly generation: bigint;
  readonly pipelines: readonly {
    readonly id: string;
    readonly state: RunState;
    readonly restarts: number;
  }[];
  readonly spoolLines: number;
  readonly lostLines: number;
}

export interface HealthSources {
  readonly connection: ConnectionState;
  readonly reconciler: Pick<Reconciler, "runners" | "highestGeneration">;
  readonly spool: Pick<LogSpool, "lines" | "totalLost">;
}

export function readHealth({ connection, reconciler, spool }: HealthSources): AgentHealth {
  const { isOpen, lastOpenedAt, reason } = connection.current;
  return {
    connected: isOpen,
    lastConnectedAt: lastOpenedAt,
    reason,
    generation: reconciler.highestGeneration,
    pipelines: reconciler.runners().map(({ id, state, restarts }) => ({ id, state, restarts })),
    spoolLines: spool.lines,
    lostLines: spool.totalLost,
  };
}

/** States of a pipeline that does not do its work, or not yet. One that is held still runs its previous version. */
const notWorking: ReadonlySet<RunState> = new Set<RunState>(["pending", "starting", "crashed"]);

/** What keeps the host from being ready: one line each; none when it is. */
export function reasonsNotReady(health: AgentHealth): readonly string[] {
  const session = health.connected
    ? []
    : [`not connected to the server${health.reason === "" ? "" : `: ${health.reason}`}`];
  const pipelines = health.pipelines
    .filter(({ state }) => notWorking.has(state))
    .map(({ id, state }) => `pipeline ${id} is ${state}`);
  return [...session, ...pipelines];
}
