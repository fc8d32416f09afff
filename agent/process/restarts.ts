import type { Clock } from "#common/clock.ts";
import { boundedText } from "../text.ts";
import { maxReasonBytes } from "./attempts.ts";
import { afterExit, noFailures } from "./restart-policy.ts";
import type { StatusKeeper } from "./status-keeper.ts";

/** When a process that ended although it was wanted is started again, and what is said of that. */
export class Restarts {
  readonly #kept: StatusKeeper;
  readonly #clock: Clock;
  readonly #random: () => number;
  #history = noFailures;

  constructor(kept: StatusKeeper, deps: { readonly clock: Clock; readonly random: () => number }) {
    this.#kept = kept;
    this.#clock = deps.clock;
    this.#random = deps.random;
  }

  /** @param upMs how long the process ran. */
  crashed(reason: string, upMs: number): void {
    const kept = this.#kept;
    const { history, delayMs } = afterExit(this.#history, upMs, this.#random());
    this.#history = history;
    kept.restarts++;
    kept.undelivered = "";
    kept.nextStartAt = new Date(this.#clock.now().getTime() + delayMs);
    kept.trouble = boundedText(reason, maxReasonBytes);
    kept.say("error", `${reason}; it is started again in ${Math.round(delayMs / 100) / 10} s`);
  }

  /** Milliseconds until the next start is due; 0 when it is. */
  get msUntilStart(): number {
    const { nextStartAt } = this.#kept;
    if (nextStartAt === undefined) return 0;
    return Math.max(0, nextStartAt.getTime() - this.#clock.now().getTime());
  }

  /** It has run for long enough, or a new configuration has passed: the past counts no more. */
  forgive(): void {
    this.#history = noFailures;
    this.#kept.trouble = "";
    this.#kept.nextStartAt = undefined;
  }
}
