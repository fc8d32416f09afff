import type { Clock } from "#common/clock.ts";

/** A bounded set of token buckets in memory, one for each key. The oldest key goes when it is full. */
export class RateLimiter {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #perMinute: number;
  readonly #maximumKeys: number;

  constructor(clock: Clock, burst: number, perMinute: number, maximumKeys = 10_000) {
    this.#clock = clock;
    this.#burst = burst;
    this.#perMinute = perMinute;
    this.#maximumKeys = maximumKeys;
  }

  /** Takes one token of the key's bucket; false when it is empty. */
  take(key: string): boolean {
    const now = this.#clock.now().getTime();
    const bucket = this.#buckets.get(key) ?? { tokens: this.#burst, at: now };
    bucket.tokens = Math.min(
      this.#burst,
      bucket.tokens + ((now - bucket.at) / 60_000) * this.#perMinute,
    );
    bucket.at = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#maximumKeys) {
      const oldest = this.#buckets.keys().next().value;
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}
