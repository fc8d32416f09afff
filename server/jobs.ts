import pg from "pg";
import { runTasks } from "#common/run-tasks.ts";
import { removeExpiredSessions } from "./auth/sessions.ts";
import { readSettings } from "./auth/setup.ts";
import { listenForChanges, type Change } from "./db/changes.ts";
import { createPartitions, dropOldPartitions } from "./db/partitions.ts";
import type { ServerDeps } from "./deps.ts";
import { heartbeatInterval, leaseMs } from "./fleet/liveness.ts";
import { expireLeases } from "./fleet/nodes.ts";
import { tidyHostChecks } from "./host-checks/questions.ts";
import { dispatchSample } from "./sampling/dispatch-sample.ts";
import { tidySamples } from "./sampling/samples.ts";
import { removeOldKeys } from "./rpc/idempotency-key.entity.ts";
import type { Scope } from "./scope.ts";
import { SecretPoller } from "./secrets/backends/poller.ts";

/** Any number that nothing else of ours locks. */
const leaderLock = 7_426_002;

/** The one list of background loops. Returns when all have ended after the signal. */
export async function runJobs(
  deps: ServerDeps,
  fleet: { set(size: number): void },
  signal: AbortSignal,
): Promise<void> {
  await runTasks(
    signal,
    (scope) => deps.ingest.run(scope),
    (scope) => listenForChanges(deps.databaseUrl, changeHandlers(deps), deps.log, scope),
    (scope) => countFleet(deps, fleet, scope),
    (scope) => every(deps, 60_000, scope, "writing refusals", () => deps.refusals.flush()),
    (scope) => lead(deps, scope),
  );
}

function changeHandlers(deps: ServerDeps): { onChange(change: Change): void; onGap(): void } {
  return {
    onChange(change) {
      switch (change.kind) {
        case "desired":
          deps.hub.environmentChanged(change.environmentId);
          deps.live.environmentChanged(change.environmentId, undefined);
          break;
        case "seen":
          deps.live.environmentChanged(change.environmentId, change.topic);
          break;
        case "sample":
          void deps.background.track(dispatchSample(deps, change));
          break;
        case "host_check":
          void deps.hostChecks.began(change.checkId, change.environmentId);
          break;
        case "host_check_answers":
          deps.hostChecks.answered(change.checkId);
          break;
        case "host_check_over":
          deps.hostChecks.over(change.checkId);
          break;
        case "node_revoked":
          deps.hub.revoke(change.nodeId);
          break;
        case "node_cloned":
          deps.hub.session(change.nodeId)?.noteRival(change.rival);
          break;
        case "access":
          deps.access.changed(change.userId);
          break;
        default:
          // A newer replica may announce what this one does not know.
          break;
      }
    },
    onGap() {
      deps.hub.everythingChanged();
      deps.live.everythingChanged();
      deps.access.everythingChanged();
      deps.hostChecks.everythingChanged();
    },
  };
}

function systemScope(deps: ServerDeps, signal: AbortSignal): Scope {
  const { clock, log } = deps;
  return { em: deps.orm.em.fork(), actor: { kind: "system" }, clock, log, signal };
}

/** Every replica knows the size of the fleet, so that all give the same heartbeat interval (P8). */
async function countFleet(
  deps: ServerDeps,
  fleet: { set(size: number): void },
  signal: AbortSignal,
): Promise<void> {
  await every(deps, 30_000, signal, "counting the fleet", async () => {
    const [row] = await deps.orm.em
      .fork()
      .execute<{ count: number }[]>(
        `select count(*)::int as count from "VectorNode" where "nodeTokenHash" is not null`,
      );
    fleet.set(row?.count ?? 0);
    const interval = heartbeatInterval(deps.config.heartbeatIntervalMs, row?.count ?? 0);
    deps.hub.setHeartbeatInterval(interval);
  });
}

/**
 * One replica at a time runs the periodic jobs: the one that holds an advisory lock, which the database gives
 * back when its connection ends.
 */
async function lead(deps: ServerDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const client = new pg.Client({ connectionString: deps.databaseUrl, keepAlive: true });
    const lost = new AbortController();
    client.on("error", () => lost.abort());
    client.on("end", () => lost.abort());
    try {
      await client.connect();
      const { rows } = await client.query<{ leads: boolean }>(
        "select pg_try_advisory_lock($1) as leads",
        [leaderLock],
      );
      if (rows[0]?.leads === true) {
        const term = AbortSignal.any([signal, lost.signal]);
        await runTasks(
          term,
          (scope) => watchLeases(deps, scope),
          (scope) => keepHouse(deps, scope),
          (scope) => pollSecrets(deps, scope),
          (scope) =>
            every(deps, 15_000, scope, "tidying samples", () =>
              tidySamples(deps.orm.em.fork(), deps.clock.now()),
            ),
          (scope) =>
            every(deps, 60_000, scope, "tidying checks on hosts", () =>
              tidyHostChecks(deps.orm.em.fork(), deps.clock.now()),
            ),
        );
      }
    } catch (error) {
      deps.log.warn("cannot lead", { error });
    } finally {
      await client.end().catch(() => {});
    }
    await deps.clock.sleep(5000, signal).catch(() => {});
  }
}

/**
 * After a start, nobody is called unreachable before every node has had the time to come back: its lease, and
 * the longest pause between its tries (S6, P8).
 */
async function watchLeases(deps: ServerDeps, signal: AbortSignal): Promise<void> {
  const lease = () => leaseMs(heartbeatInterval(deps.config.heartbeatIntervalMs, deps.fleetSize()));
  await deps.clock.sleep(lease() + 5000, signal).catch(() => {});
  await every(deps, 1000, signal, "watching leases", async () => {
    const em = deps.orm.em.fork();
    for (const environmentId of await expireLeases(em, deps.clock.now(), lease())) {
      deps.live.environmentChanged(environmentId, undefined);
    }
  });
}

async function pollSecrets(deps: ServerDeps, signal: AbortSignal): Promise<void> {
  const poller = new SecretPoller(deps);
  await every(deps, 5000, signal, "reading secrets from their backends", async () => {
    await poller.tick(() => systemScope(deps, signal));
  });
}

async function keepHouse(deps: ServerDeps, signal: AbortSignal): Promise<void> {
  await every(deps, 3_600_000, signal, "keeping house", async () => {
    const scope = systemScope(deps, signal);
    const now = deps.clock.now();
    await createPartitions(scope.em, now, 2);
    const { metricsRetentionDays, logsRetentionDays } = await readSettings(scope);
    const dropped = await dropOldPartitions(scope.em, now, {
      PipelineMetric: metricsRetentionDays,
      NodeMetric: metricsRetentionDays,
      PipelineLog: logsRetentionDays,
    });
    if (dropped.length > 0) deps.log.info("old days dropped", { dropped });
    await removeExpiredSessions(scope);
    await removeOldKeys(scope);
  });
}

/** Runs `work` now and then again and again; a failure is logged and the next turn comes. */
async function every(
  deps: ServerDeps,
  ms: number,
  signal: AbortSignal,
  what: string,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      deps.log.warn(`${what} failed`, { error });
    }
    await deps.clock.sleep(ms, signal).catch(() => {});
  }
}
