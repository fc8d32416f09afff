/** What a pipeline's process does, as people see it. */
export type RunState =
  | "pending"
  | "starting"
  | "running"
  | "stopped"
  | "crashed"
  | "held"
  | "not_delivering";

/** Where the newest attempt to apply a configuration stands. */
export type ApplyPhase =
  | "none"
  | "received"
  | "validated"
  | "applying"
  | "applied"
  | "failed"
  | "rolled_back"
  | "removed";

/** One problem in a configuration; `componentId` is empty when it concerns the whole. */
export interface ConfigProblem {
  readonly componentId: string;
  readonly field: string;
  readonly message: string;
}

/** The newest attempt to apply a configuration. It is persisted, so that a failure is not retried (P3). */
export interface Attempt {
  readonly hash: string;
  readonly version: number;
  readonly attempt: number;
  readonly phase: ApplyPhase;
  readonly reason: string;
  readonly problems: readonly ConfigProblem[];
  readonly logTail: readonly string[];
  /** Milliseconds for which the pipeline did not run during the apply. */
  readonly gapMs: number;
}

/** The configuration that is effective: of the running process, or of the next start. */
export interface Effective {
  readonly hash: string;
  readonly version: number;
  /** The version of Vector that took it; another one must validate it before it is started. */
  readonly vectorVersion: string;
}

/** Everything that is known of one pipeline: attempted and effective are separate facts (P3). */
export interface PipelineStatus {
  readonly pipelineId: string;
  readonly name: string;
  readonly state: RunState;
  readonly attempt: Attempt | undefined;
  readonly effective: Effective | undefined;
  /** Why it does not run as wanted. Stays until something succeeds. */
  readonly reason: string;
  /** What a person should know although it runs as wanted. */
  readonly notice: string;
  /** The version of Vector in the running process, which may be older than the file's; empty without one. */
  readonly vectorVersion: string;
  readonly pid: number;
  readonly restarts: number;
  readonly nextStartAt: Date | undefined;
  readonly at: Date;
}

/** The present status of all pipelines, and who wants to hear of changes. */
export class StatusBoard {
  readonly #statuses = new Map<string, PipelineStatus>();
  readonly #listeners = new Set<(status: PipelineStatus) => void>();

  set(status: PipelineStatus): void {
    if (status.attempt?.phase === "removed") this.#statuses.delete(status.pipelineId);
    else this.#statuses.set(status.pipelineId, status);
    for (const listener of this.#listeners) listener(status);
  }

  all(): readonly PipelineStatus[] {
    return [...this.#statuses.values()];
  }

  /** Calls the listener at each change until it is disposed. */
  subscribe(listener: (status: PipelineStatus) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}
