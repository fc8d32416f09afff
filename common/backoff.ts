/** Bounds of an exponential backoff, in milliseconds. */
export interface BackoffLimits {
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * The pause before the given attempt (0 is the first retry), with full jitter: anything from `minMs`
 * to the exponentially growing limit, so that a fleet that lost its server does not come back at
 * once (P8).
 *
 * @param random a number in [0, 1).
 */
export function fullJitter(attempt: number, limits: BackoffLimits, random: number): number {
  const limit = Math.min(limits.maxMs, limits.minMs * 2 ** Math.min(attempt, 30));
  return Math.round(limits.minMs + (limit - limits.minMs) * random);
}
