import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Registry } from "prom-client";
import { version } from "#common/version.ts";
import type { AgentHealth } from "./agent-health.ts";

/** Coarse, because each sample wakes the process. */
const resolutionMs = 100;

/** Renders what the agent knows of itself for Prometheus. */
export class HealthMetrics implements Disposable {
  readonly #registry = new Registry();
  readonly #lag = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #health: () => AgentHealth;

  constructor(health: () => AgentHealth) {
    this.#health = health;
    this.#lag.enable();
    this.#number("connected", "Whether a session with the server is open.", (now) =>
      Number(now.connected),
    );
    this.#number(
      "last_connected_timestamp_seconds",
      "When a session was opened last; 0 for never.",
      (now) => (now.lastConnectedAt?.getTime() ?? 0) / 1000,
    );
    this.#number("generation", "The highest generation that was accepted.", (now) =>
      Number(now.generation),
    );
    this.#number(
      "log_spool_lines",
      "Log lines that the server has not acknowledged.",
      (now) => now.spoolLines,
    );
    this.#number(
      "resident_memory_bytes",
      "Resident memory of the agent, without its Vector processes.",
      () => process.memoryUsage.rss(),
    );
    this.#number(
      "event_loop_lag_seconds",
      "Longest delay of the event loop since this was last asked.",
      () => this.#takeLag(),
    );
    this.#number("build_info", "The version of the agent.", () => 1, { version });
    this.#lostLines();
    this.#pipelines();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async render(): Promise<string> {
    return await this.#registry.metrics();
  }

  [Symbol.dispose](): void {
    this.#lag.disable();
  }

  #number(
    name: string,
    help: string,
    value: (now: AgentHealth) => number,
    labels: Readonly<Record<string, string>> = {},
  ): void {
    const health = this.#health;
    const gauge = new Gauge({
      name: `vectorflow_agent_${name}`,
      help,
      labelNames: Object.keys(labels),
      collect() {
        this.set(labels, value(health()));
      },
      registers: [],
    });
    this.#registry.registerMetric(gauge);
  }

  #takeLag(): number {
    const longest = this.#lag.count === 0 ? 0 : this.#lag.max / 1e9 - resolutionMs / 1000;
    this.#lag.reset();
    return Math.max(0, longest);
  }

  #lostLines(): void {
    const health = this.#health;
    const counter = new Counter({
      name: "vectorflow_agent_lost_log_lines_total",
      help: "Log lines that were dropped because the spool was full.",
      collect() {
        this.reset();
        this.inc(health().lostLines);
      },
      registers: [],
    });
    this.#registry.registerMetric(counter);
  }

  #pipelines(): void {
    const health = this.#health;
    const states = new Gauge({
      name: "vectorflow_agent_pipelines",
      help: "Pipelines by the state of their process.",
      labelNames: ["state"],
      collect() {
        this.reset();
        for (const { state } of health().pipelines) this.inc({ state });
      },
      registers: [],
    });
    const restarts = new Gauge({
      name: "vectorflow_agent_pipeline_restarts",
      help: "Restarts of a pipeline's process after crashes, since the agent started.",
      labelNames: ["pipeline_id"],
      collect() {
        this.reset();
        for (const { id, restarts: count } of health().pipelines) {
          this.set({ pipeline_id: id }, count);
        }
      },
      registers: [],
    });
    this.#registry.registerMetric(states);
    this.#registry.registerMetric(restarts);
  }
}
