import type { Clock } from "../lib/clock.ts";

/** A clock that stands still until a test advances it. */
export class FakeClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  readonly #sleepers = new Set<{ readonly at: number; wake(): void }>();

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason as Error);
      };
      const sleeper = {
        at: this.#now + ms,
        wake: () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  /** Moves the time on, wakes everyone whose time has come, and lets them run. */
  async advance(ms: number): Promise<void> {
    this.#now += ms;
    for (const sleeper of [...this.#sleepers].toSorted((a, b) => a.at - b.at)) {
      if (sleeper.at > this.#now) break;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    await settle();
  }

  /** How long each sleeper still waits, shortest first. */
  waits(): number[] {
    return [...this.#sleepers].map(({ at }) => at - this.#now).toSorted((a, b) => a - b);
  }
}

/** Lets everything that is ready run: a macrotask turn drains the microtasks before it. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
