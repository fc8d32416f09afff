/** How long the agent waits for Vector. Tests shorten these. */
export interface RunnerLimits {
  /** `vector validate` is killed after this. */
  readonly validateMs: number;
  /** From a start or SIGHUP to the line that tells how it went. */
  readonly verdictMs: number;
  /** How long a new configuration must run before it counts as applied. */
  readonly probationMs: number;
  /** How much longer than the probation the metrics page may take to answer. */
  readonly pageMs: number;
  /** Vector's own limit for draining its buffers. */
  readonly drainSecs: number;
  /** SIGTERM to SIGKILL when a configuration change needs a new process. */
  readonly restartGraceMs: number;
  /** The same when the pipeline was taken off the manifest: it shall be gone within 2 s. */
  readonly removeGraceMs: number;
  /** The same when the agent stops: it shall be gone within 8 s. */
  readonly stopGraceMs: number;
  /** The same after a component has died, when nothing flows any more. */
  readonly fatalGraceMs: number;
}

export const defaultLimits: RunnerLimits = {
  validateMs: 30_000,
  verdictMs: 15_000,
  probationMs: 5_000,
  pageMs: 5_000,
  drainSecs: 60,
  restartGraceMs: 62_000,
  removeGraceMs: 1_500,
  stopGraceMs: 6_500,
  fatalGraceMs: 3_000,
};
