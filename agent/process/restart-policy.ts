import { fullJitter, type BackoffLimits } from "#common/backoff.ts";

/** How often a process ended, to decide when it is started again. */
export interface RestartHistory {
  /** Ends in a row without a stable run between them. */
  readonly failures: number;
}

export const noFailures: RestartHistory = { failures: 0 };

/** A run of this length forgives all earlier ends. */
export const stableAfterMs = 60_000;

const limits: BackoffLimits = { minMs: 1_000, maxMs: 60_000 };

/**
 * Decides when a process that ended while it was wanted is started again: about a second after the
 * first end, up to a minute after many. Its exit code plays no part, because Vector ends with 0
 * after most crashes.
 */
export function afterExit(
  history: RestartHistory,
  upMs: number,
  random: number,
): { readonly history: RestartHistory; readonly delayMs: number } {
  const failures = upMs >= stableAfterMs ? 1 : history.failures + 1;
  return { history: { failures }, delayMs: fullJitter(failures - 1, limits, random) };
}
