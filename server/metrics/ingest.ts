import type pg from "pg";
import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";
import type { Change } from "../db/changes.ts";
import type { ServerMetrics } from "../health/server-metrics.ts";
import type {
  ComponentRow,
  LogRow,
  NodeMetricRow,
  NodeRow,
  PipelineBeatRow,
  ReportRow,
} from "./ingest-rows.ts";
import {
  writeComponents,
  writeLogs,
  writeNodeMetrics,
  writeNodes,
  writePipelineBeats,
  writeReports,
} from "./write-rows.ts";

/** The rows of one heartbeat. */
export interface Beat {
  readonly node: NodeRow;
  readonly metric: NodeMetricRow | undefined;
  readonly pipelines: readonly PipelineBeatRow[];
  readonly components: readonly ComponentRow[];
}

interface LogBatch {
  readonly rows: readonly LogRow[];
  stored(): void;
}

export interface IngestLimits {
  /** The longest that a row waits for company. */
  readonly gatherMs: number;
  readonly reportGatherMs: number;
  /** Rows that make a batch full. */
  readonly batchRows: number;
  /** Rows that may wait while the database is away; the oldest beats go first and are counted. */
  readonly maximumRows: number;
}

const defaultLimits: IngestLimits = {
  gatherMs: 250,
  reportGatherMs: 20,
  batchRows: 1e3,
  maximumRows: 2e5,
};

/**
 * Gathers what agents send and writes it in few large transactions. Reports of changes wait shortest, for
 * people watch them. When the database is away, rows wait up to a bound: heartbeats are then dropped,
 * oldest first, and counted; reports are kept, newest of each pipeline; log batches stay with their agents,
 * because they were not acknowledged.
 */
export class Ingest {
  #beats: Beat[] = [];
  #beatRows = 0;
  #reports: ReportRow[] = [];
  #logs: LogBatch[] = [];
  #wake: PromiseWithResolvers<void> | undefined;
  #dueAt = Infinity;
  readonly #pool: pg.Pool;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #metrics: ServerMetrics;
  readonly #limits: IngestLimits;

  constructor(
    deps: {
      readonly pool: pg.Pool;
      readonly clock: Clock;
      readonly log: Logger;
      readonly metrics: ServerMetrics;
    },
    limits: Partial<IngestLimits> = {},
  ) {
    this.#pool = deps.pool;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#metrics = deps.metrics;
    this.#limits = { ...defaultLimits, ...limits };
  }

  addBeat(beat: Beat): void {
    this.#beats.push(beat);
    this.#beatRows += rowsOf(beat);
    let dropped = 0;
    while (this.#beatRows > this.#limits.maximumRows) {
      const oldest = this.#beats.shift();
      if (oldest === undefined) break;
      this.#beatRows -= rowsOf(oldest);
      dropped += 1;
    }
    if (dropped > 0) this.#metrics.droppedBeats.inc(dropped);
    this.#due(this.#beatRows >= this.#limits.batchRows ? 0 : this.#limits.gatherMs);
  }

  addReports(reports: readonly ReportRow[]): void {
    this.#reports.push(...reports);
    if (this.#reports.length > this.#limits.maximumRows) {
      const newest = new Map(this.#reports.map((row) => [`${row.nodeId}/${row.pipelineId}`, row]));
      this.#reports = [...newest.values()];
    }
    this.#due(this.#limits.reportGatherMs);
  }

  /** `stored` is called once the lines are in the database. */
  addLogs(rows: readonly LogRow[], stored: () => void): void {
    this.#logs.push({ rows, stored });
    this.#due(100);
  }

  #due(afterMs: number): void {
    const at = this.#clock.now().getTime() + afterMs;
    if (at >= this.#dueAt) return;
    this.#dueAt = at;
    this.#wake?.resolve();
  }

  /** Writes until the signal, then writes what is left. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#untilDue(signal);
      try {
        await this.flush();
      } catch (error) {
        this.#log.error("ingest failed; rows wait for the next try", { error });
        this.#due(1000);
      }
    }
    await this.flush().catch((error: unknown) => this.#log.error("last ingest failed", { error }));
  }

  async #untilDue(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const wait = this.#dueAt - this.#clock.now().getTime();
      if (wait <= 0) break;
      this.#wake = Promise.withResolvers<void>();
      const stop = new AbortController();
      const sleeping = this.#clock.sleep(
        Math.min(wait, 60_000),
        AbortSignal.any([signal, stop.signal]),
      );
      await Promise.race([sleeping.catch(() => {}), this.#wake.promise]);
      stop.abort();
    }
    this.#dueAt = Infinity;
  }

  /**
   * Writes everything that waits, in one transaction. When the database is away, it all waits again; when
   * the database refuses a value, each item is tried alone and the bad ones are dropped and counted.
   */
  async flush(): Promise<void> {
    const beats = this.#beats;
    const beatRows = this.#beatRows;
    const reports = this.#reports;
    const logs = this.#logs;
    if (beats.length === 0 && reports.length === 0 && logs.length === 0) return;
    this.#beats = [];
    this.#beatRows = 0;
    this.#reports = [];
    this.#logs = [];
    const started = performance.now();
    try {
      await this.#write(
        beats,
        reports,
        logs.flatMap(({ rows }) => rows),
      );
    } catch (error) {
      if (isBadValue(error)) {
        this.#log.error("the database refused a value; storing items one by one", { error });
        await this.#writeOneByOne(beats, reports, logs);
      } else {
        this.#beats = [...beats, ...this.#beats];
        this.#beatRows += beatRows;
        this.#reports = [...reports, ...this.#reports];
        // Log batches were not acknowledged, so agents send them again.
        throw error;
      }
    }
    for (const batch of logs) batch.stored();
    const logRows = logs.reduce((sum, { rows }) => sum + rows.length, 0);
    this.#metrics.ingestRows.inc({ kind: "metric" }, beatRows);
    this.#metrics.ingestRows.inc({ kind: "report" }, reports.length);
    this.#metrics.ingestRows.inc({ kind: "log" }, logRows);
    this.#metrics.ingestSeconds.observe((performance.now() - started) / 1000);
  }

  async #writeOneByOne(
    beats: readonly Beat[],
    reports: readonly ReportRow[],
    logs: readonly LogBatch[],
  ): Promise<void> {
    const items = [
      ...reports.map((report) => () => this.#write([], [report], [])),
      ...beats.map((beat) => () => this.#write([beat], [], [])),
      ...logs.map(
        ({ rows }) =>
          () =>
            this.#write([], [], rows),
      ),
    ];
    for (const write of items) {
      try {
        await write();
      } catch (error) {
        if (!isBadValue(error)) throw error;
        this.#metrics.refusedItems.inc();
      }
    }
  }

  async #write(
    beats: readonly Beat[],
    reports: readonly ReportRow[],
    logs: readonly LogRow[],
  ): Promise<void> {
    const client = await this.#pool.connect();
    let failed = true;
    try {
      await client.query("begin");
      const metrics = beats.flatMap(({ metric }) => metric ?? []);
      const pipelines = beats.flatMap((beat) => beat.pipelines);
      const components = beats.flatMap((beat) => beat.components);
      if (beats.length > 0)
        await writeNodes(
          client,
          beats.map(({ node }) => node),
        );
      if (reports.length > 0) await writeReports(client, reports);
      if (pipelines.length > 0) await writePipelineBeats(client, pipelines);
      if (metrics.length > 0) await writeNodeMetrics(client, metrics);
      if (components.length > 0) await writeComponents(client, components);
      if (logs.length > 0) await writeLogs(client, logs);
      const environments = new Set(reports.map(({ environmentId }) => environmentId));
      for (const environmentId of environments) {
        const change: Change = { kind: "seen", environmentId };
        await client.query("select pg_notify('vectorflow_changes', $1)", [JSON.stringify(change)]);
      }
      await client.query("commit");
      failed = false;
    } finally {
      // A connection in an unknown state is closed, which also ends its transaction.
      client.release(failed);
    }
  }
}

function rowsOf(beat: Beat): number {
  return 1 + (beat.metric === undefined ? 0 : 1) + beat.pipelines.length + beat.components.length;
}

/** Data exceptions and violated constraints: the same again would fail again. */
function isBadValue(error: unknown): boolean {
  return /^2[23]/.test((error as { code?: string }).code ?? "");
}
