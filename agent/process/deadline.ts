import type { Clock } from "#common/clock.ts";

/**
 * Waits for the work, at most `ms`. Rejects with the signal's reason when it is aborted first. The
 * work itself goes on: the caller owns it.
 */
export async function within<T>(
  work: Promise<T>,
  ms: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<{ readonly kind: "done"; readonly value: T } | { readonly kind: "timed_out" }> {
  const timer = new AbortController();
  try {
    return await Promise.race([
      work.then((value) => ({ kind: "done" as const, value })),
      clock
        .sleep(ms, AbortSignal.any([signal, timer.signal]))
        .then(() => ({ kind: "timed_out" as const })),
    ]);
  } finally {
    timer.abort();
  }
}
