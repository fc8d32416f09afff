import type { EntityManager } from "@mikro-orm/postgresql";
import pg from "pg";
import { fullJitter } from "#common/backoff.ts";
import { systemClock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";

/** Something that other parts and replicas must look at again. Small: a payload has at most 8 000 bytes. */
export type Change =
  /** What the environment's nodes shall run may have changed. */
  | { readonly kind: "desired"; readonly environmentId: string }
  /** Something that people watch has changed. */
  | { readonly kind: "seen"; readonly environmentId: string; readonly topic?: ChangeTopic }
  /** A node's token was revoked, or the node is gone. */
  | { readonly kind: "node_revoked"; readonly nodeId: string }
  /** Another machine wanted to be this node, and was refused. */
  | { readonly kind: "node_cloned"; readonly nodeId: string; readonly rival: string }
  /** A host shall be asked for a sample, by the replica that has its session. */
  | { readonly kind: "sample"; readonly nodeId: string; readonly requestId: string }
  /** Hosts shall be asked about a configuration, by the replicas that have their sessions. */
  | { readonly kind: "host_check"; readonly environmentId: string; readonly checkId: string }
  /** Hosts have answered. */
  | { readonly kind: "host_check_answers"; readonly checkId: string }
  /** Nobody waits for the answers any more. */
  | { readonly kind: "host_check_over"; readonly checkId: string }
  /** A session or its user lost access. */
  | { readonly kind: "access"; readonly userId: string };

/** What clients may hold in a cache. */
export type ChangeTopic = "environment" | "pipelines" | "versions";

const channel = "vectorflow_changes";

/** Tells all replicas, once the transaction has committed. */
export async function announce(em: EntityManager, change: Change): Promise<void> {
  await em.execute("select pg_notify(?, ?)", [channel, JSON.stringify(change)]);
}

/** Listens for changes by all replicas. After a lost connection, `onGap` says that some may be missing. */
export async function listenForChanges(
  url: string,
  handlers: { onChange(change: Change): void; onGap(): void },
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const client = new pg.Client({ connectionString: url, keepAlive: true });
    const lost = Promise.withResolvers<unknown>();
    client.on("error", lost.resolve);
    client.on("end", () => lost.resolve(undefined));
    client.on("notification", ({ payload }) => {
      if (payload !== undefined) handlers.onChange(JSON.parse(payload) as Change);
    });
    const stop = (): void => lost.resolve(undefined);
    signal.addEventListener("abort", stop, { once: true });
    try {
      await client.connect();
      await client.query(`listen ${channel}`);
      handlers.onGap();
      attempt = 0;
      const error = await lost.promise;
      if (!signal.aborted) log.warn("lost the connection that listens for changes", { error });
    } catch (error) {
      log.warn("cannot listen for changes", { error });
    } finally {
      signal.removeEventListener("abort", stop);
      await client.end().catch(() => {});
    }
    if (signal.aborted) return;
    const pause = fullJitter(attempt, { minMs: 100, maxMs: 5000 }, Math.random());
    await systemClock.sleep(pause, signal).catch(() => {});
  }
}
