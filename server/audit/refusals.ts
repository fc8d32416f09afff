import type { Clock } from "#common/clock.ts";
import { RateLimiter } from "../auth/rate-limiter.ts";
import { transact } from "../db/transaction.ts";
import type { Scope } from "../scope.ts";
import { audit, type AuditEntry } from "./audit.ts";

const perKey = 5;
const altogether = 120;
const maximumKeys = 1000;

interface Repeats {
  readonly scope: Scope;
  readonly entry: AuditEntry;
  count: number;
}

/**
 * Calls that were refused, on their way to the audit. The first few of a kind each minute get a row of their own;
 * what comes above that is counted, and the count gets one row a minute (S13). Everything is bounded: rows a minute
 * over all kinds, and kinds that are counted.
 */
export class Refusals {
  readonly #altogether: RateLimiter;
  readonly #byKey: RateLimiter;
  readonly #repeats = new Map<string, Repeats>();

  constructor(clock: Clock) {
    this.#altogether = new RateLimiter(clock, altogether, altogether);
    this.#byKey = new RateLimiter(clock, perKey, perKey);
  }

  /** Writes a row for a refusal, or counts it. `key` tells refusals apart: who, and what was tried. */
  async record(scope: Scope, key: string, entry: AuditEntry): Promise<void> {
    if (!this.#repeats.has(key) && this.#byKey.take(key) && this.#altogether.take("")) {
      await transact(scope, async (tx) => audit(tx, entry));
      return;
    }
    // Where there are too many kinds to count, they are counted together.
    const full = this.#repeats.size >= maximumKeys && !this.#repeats.has(key);
    const bucket = this.#repeats.get(full ? "" : key);
    if (bucket !== undefined) {
      bucket.count += 1;
      return;
    }
    const { em, actor, clock, log } = scope;
    this.#repeats.set(full ? "" : key, {
      // Outlives the call, so it must not hold on to the call's signal.
      scope: { em: em.fork(), actor, clock, log, signal: new AbortController().signal },
      entry: full ? { action: entry.action, entityType: "Many", entityId: "" } : entry,
      count: 1,
    });
  }

  /** Writes what was only counted. Called every minute, and at shutdown. */
  async flush(): Promise<void> {
    for (const [key, repeats] of this.#repeats) {
      const { scope, entry, count } = repeats;
      await transact(scope, async (tx) =>
        audit(tx, { ...entry, metadata: { ...entry.metadata, repeated: count } }),
      );
      // Taken out only once it is written, and without what came meanwhile: nothing goes uncounted.
      repeats.count -= count;
      if (repeats.count === 0) this.#repeats.delete(key);
    }
  }
}
