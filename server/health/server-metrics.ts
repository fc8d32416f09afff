import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

/** What the server tells of itself on /metrics. One set per server, so that tests can run several. */
export class ServerMetrics {
  readonly registry = new Registry();
  readonly #own = { registers: [this.registry] };
  readonly sessions = new Gauge({
    ...this.#own,
    name: "vectorflow_agent_sessions",
    help: "Agents that are connected to this replica.",
  });
  readonly messages = new Counter({
    ...this.#own,
    name: "vectorflow_agent_messages_total",
    help: "Messages exchanged with agents.",
    labelNames: ["direction", "kind"],
  });
  readonly ingestRows = new Counter({
    ...this.#own,
    name: "vectorflow_ingest_rows_total",
    help: "Rows that agents sent and the database stored.",
    labelNames: ["kind"],
  });
  readonly ingestSeconds = new Histogram({
    ...this.#own,
    name: "vectorflow_ingest_duration_seconds",
    help: "Time to store one batch.",
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  });
  readonly droppedBeats = new Counter({
    ...this.#own,
    name: "vectorflow_ingest_dropped_heartbeats_total",
    help: "Heartbeats dropped because the database was away for too long.",
  });
  readonly refusedItems = new Counter({
    ...this.#own,
    name: "vectorflow_ingest_refused_items_total",
    help: "Items of agents that the database could not hold.",
  });
  readonly watchers = new Gauge({
    ...this.#own,
    name: "vectorflow_watch_streams",
    help: "Browser tabs that watch through this replica.",
  });

  constructor(pool: { readonly total: number; readonly idle: number; readonly waiting: number }) {
    // Event-loop lag, memory and CPU come with the library.
    collectDefaultMetrics({ register: this.registry, prefix: "vectorflow_" });
    const states = { total: () => pool.total, idle: () => pool.idle, waiting: () => pool.waiting };
    const gauge: Gauge<"state"> = new Gauge({
      ...this.#own,
      name: "vectorflow_database_pool_connections",
      help: "Connections of this replica to the database, and calls that wait for one.",
      labelNames: ["state"],
      collect() {
        for (const [state, read] of Object.entries(states)) gauge.set({ state }, read());
      },
    });
  }
}
