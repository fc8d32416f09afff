import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";
import type { PipelineRecord, PipelineStore } from "../state/pipeline-store.ts";
import { boundedText } from "../text.ts";
import { hasFailed, maxReasonBytes } from "./attempts.ts";
import type { LogSpool } from "./log-spool.ts";
import type { PipelineStatus, RunState, StatusBoard } from "./pipeline-status.ts";
import type { Level } from "./vector-log-line.ts";
import type { VectorProcess } from "./vector-process.ts";

export interface StatusDeps {
  readonly store: PipelineStore;
  readonly board: StatusBoard;
  readonly spool: LogSpool;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * What is known of one pipeline, on disk and on the board: the record survives the agent, the rest is
 * of this run. Whoever changes something calls `publish`, which tells the board only what is new.
 */
export class StatusKeeper {
  readonly #id: string;
  readonly #deps: StatusDeps;
  readonly #process: () => VectorProcess | undefined;
  record: PipelineRecord;
  /** Why nothing runs as it should, beside a failed attempt. */
  trouble = "";
  /** What the host's policy says against the effective configuration (P11); empty when nothing. */
  violation = "";
  /** Something that a person should know although all runs as it should. */
  notice = "";
  /** Why the limits that it shall have do not hold; empty when they do, or there are none. */
  limitsProblem = "";
  /** The evidence that nothing is delivered; empty while it delivers. */
  undelivered = "";
  isStarting = false;
  /** How often the process ended by itself since the agent began. */
  restarts = 0;
  nextStartAt: Date | undefined;
  #published = "";

  constructor(
    id: string,
    record: PipelineRecord,
    deps: StatusDeps,
    process: () => VectorProcess | undefined,
  ) {
    this.#id = id;
    this.record = record;
    this.#deps = deps;
    this.#process = process;
  }

  get state(): RunState {
    if (this.isStarting) return "starting";
    const failed = hasFailed(this.record.attempt);
    if (this.#process() !== undefined) {
      if (this.undelivered !== "") return "not_delivering";
      return failed ? "held" : "running";
    }
    if (this.violation !== "") return "stopped";
    if (this.nextStartAt !== undefined) return "crashed";
    return failed ? "stopped" : "pending";
  }

  /** Stores the record before anybody hears of it (P5). */
  async save(record: PipelineRecord): Promise<void> {
    await this.#deps.store.prepare(this.#id);
    await this.#deps.store.saveRecord(this.#id, record);
    this.record = record;
    this.publish();
  }

  publish(): void {
    const status = this.status();
    const key = JSON.stringify({ ...status, at: undefined });
    if (key === this.#published) return;
    this.#published = key;
    this.#deps.log.info("pipeline state", { state: status.state, phase: status.attempt?.phase });
    this.#deps.board.set(status);
  }

  /** A line of the agent itself about this pipeline. */
  say(level: Level, text: string): void {
    const { spool, clock } = this.#deps;
    const time = clock.now();
    spool.add({ pipelineId: this.#id, time, level, stream: "agent", componentId: "", text });
  }

  status(): PipelineStatus {
    const { attempt, effective, name } = this.record;
    const running = this.#process();
    const failure = hasFailed(attempt) ? (attempt?.reason ?? "") : "";
    const reasons = [this.violation || this.trouble || failure, this.undelivered].filter(
      (text) => text !== "",
    );
    return {
      pipelineId: this.#id,
      name,
      state: this.state,
      attempt,
      effective,
      reason: boundedText(reasons.join("; "), maxReasonBytes),
      notice: [this.notice, this.limitsProblem].filter((text) => text !== "").join("; "),
      vectorVersion: running?.executable.version ?? "",
      pid: running?.pid ?? 0,
      restarts: this.restarts,
      nextStartAt: running === undefined ? this.nextStartAt : undefined,
      at: this.#deps.clock.now(),
    };
  }
}
