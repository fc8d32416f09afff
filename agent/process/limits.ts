/** How long the agent waits for Vector. Tests shorten these. */
export interface RunnerLimits {
  /** `vector validate` is killed after this. */
  readonly validateMs: number;
  /** From a start or SIGHUP to the line that tells how it went. */
  readonly verdictMs: number;
  /** How long a new configuration must run before it counts as applied. */
  readonly probationMs: number;
  /** How much longer than the probation a pipeline that delivered before may take to deliver again. */
  readonly silenceMs: number;
  /** How much longer than the probation the metrics page may take to answer. */
  readonly pageMs: number;
  /**
   * Vector's own limit for draining its buffers. The agent's, from SIGTERM to SIGKILL, is a little
   * longer, so that it is Vector which gives up and says what it could not deliver.
   */
  readonly drainSecs: number;
  /** SIGTERM to SIGKILL after a component has died, when nothing flows any more. */
  readonly fatalGraceMs: number;
  /** How often the files of running processes are looked at. */
  readonly checkFilesMs: number;
}

export const defaultLimits: RunnerLimits = {
  validateMs: 30_000,
  verdictMs: 15_000,
  probationMs: 5_000,
  silenceMs: 10_000,
  pageMs: 5_000,
  drainSecs: 60,
  fatalGraceMs: 3_000,
  checkFilesMs: 20_000,
};

/** SIGTERM to SIGKILL for a process that shall drain. */
export function drainMs(limits: RunnerLimits): number {
  return limits.drainSecs * 1_000 + 2_000;
}
