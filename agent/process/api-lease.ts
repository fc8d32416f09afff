import type { Clock } from "#common/clock.ts";
import type { VectorExecutable } from "../vector/executable.ts";
import { accepts, connectionsTo } from "./connections.ts";
import type { ProcessSlot } from "./slot.ts";

/** Leave to use Vector's API of one process, which listens for as long as anyone holds a lease. */
export interface ApiLease extends Disposable {
  readonly port: number;
  /** Of the process that runs, not of the file that is there by now. */
  readonly executable: VectorExecutable;
  /** The configuration of the process, with all that was added to it. */
  readonly configText: string;
  /** Aborted, with the reason in words, when the process is not there any more. */
  readonly ended: AbortSignal;
}

/** The API cannot be opened now. The message is for people. */
export class ApiUnavailableError extends Error {
  override readonly name = "ApiUnavailableError";
}

interface Holder {
  readonly lease: PromiseWithResolvers<ApiLease>;
  readonly over: AbortController;
  /** The process that the lease was given for; undefined while it waits. */
  epoch: string | undefined;
}

const acceptMs = 3000;
const closeRetryMs = 10_000;
const goneMs = 300;
const leaveMs = 1000;

/**
 * Who needs Vector's API of one pipeline. The API has no authentication, so that it listens only while
 * somebody does. Opening and closing are reloads, and only the runner's loop does them:
 *
 * 1. `acquire` and a lease's end only say what is wanted, and wake the loop.
 * 2. An apply goes first. It closes the API; the loop opens it again while leases are held, and streams
 *    that are attached survive that.
 * 3. A lease is for one process and ends with it.
 */
export class ApiLeases {
  readonly #slot: ProcessSlot;
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #warn: (text: string) => void;
  readonly #holders = new Set<Holder>();
  #closeNotBefore = 0;

  constructor(slot: ProcessSlot, clock: Clock, wake: () => void, warn: (text: string) => void) {
    this.#slot = slot;
    this.#clock = clock;
    this.#wake = wake;
    this.#warn = warn;
  }

  /** Waits until the API listens. Rejects with an ApiUnavailableError, or with the signal's reason. */
  async acquire(signal: AbortSignal): Promise<ApiLease> {
    signal.throwIfAborted();
    const holder: Holder = {
      lease: Promise.withResolvers(),
      over: new AbortController(),
      epoch: undefined,
    };
    this.#holders.add(holder);
    const leave = (): void => {
      this.#drop(holder);
      holder.lease.reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#wake();
    try {
      return await holder.lease.promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  /** Called by the loop when nothing else is to be done. True when it did something. */
  async step(signal: AbortSignal): Promise<boolean> {
    const process = this.#slot.isRunning ? this.#slot.process : undefined;
    if (process === undefined) {
      this.endAll("the pipeline does not run");
      return false;
    }
    for (const holder of this.#holders) {
      if (holder.epoch !== undefined && holder.epoch !== process.epoch) {
        this.#end(holder, "the pipeline was started anew");
      }
    }
    const isOpen = this.#slot.isApiOpen;
    if (this.#holders.size > 0) {
      if (!isOpen && !(await this.#open(signal))) return true;
      this.#give(process.epoch, process.executable);
      return !isOpen;
    }
    if (!isOpen || this.#clock.now().getTime() < this.#closeNotBefore) return false;
    await this.#close(signal);
    return true;
  }

  /** Ends all leases, and refuses those that are waited for. */
  endAll(reason: string): void {
    for (const holder of this.#holders) this.#end(holder, reason);
  }

  #end(holder: Holder, reason: string): void {
    this.#holders.delete(holder);
    holder.over.abort(new ApiUnavailableError(reason));
    holder.lease.promise.catch(() => {}); // It may have gone already.
    holder.lease.reject(new ApiUnavailableError(reason));
  }

  #drop(holder: Holder): void {
    if (!this.#holders.delete(holder)) return;
    if (this.#holders.size === 0) this.#wake();
  }

  #give(epoch: string, executable: VectorExecutable): void {
    for (const holder of this.#holders) {
      if (holder.epoch !== undefined) continue;
      holder.epoch = epoch;
      holder.lease.resolve({
        port: this.#slot.apiPort,
        executable,
        configText: this.#slot.runningText ?? "",
        ended: holder.over.signal,
        [Symbol.dispose]: () => this.#drop(holder),
      });
    }
  }

  async #open(signal: AbortSignal): Promise<boolean> {
    const port = this.#slot.apiPort;
    // Vector ends when it cannot bind: whoever has taken the port must not cost the pipeline.
    const problem = (await accepts(port))
      ? `another program listens on port ${port}: restart the pipeline to get another`
      : await this.#reloadOpen(port, signal);
    if (problem === undefined) return true;
    this.endAll(problem);
    return false;
  }

  /** Returns why the API does not listen, or undefined when it does. */
  async #reloadOpen(port: number, signal: AbortSignal): Promise<string | undefined> {
    const verdict = await this.#slot.switchApi(true, signal);
    switch (verdict.kind) {
      case "timed_out":
        // A wedged process ignores everything but this; the restart policy starts it again.
        this.#slot.kill();
        return "Vector did not answer to a reload, and is started again";
      case "refused":
        return `Vector refused to open its API: ${verdict.reason || "its log says why"}`;
      case "ended":
        return "the pipeline has stopped";
      case "reloaded":
        break;
    }
    const until = this.#clock.now().getTime() + acceptMs;
    while (!(await accepts(port))) {
      if (this.#clock.now().getTime() > until || !this.#slot.isRunning) {
        return "Vector's API does not listen";
      }
      await this.#clock.sleep(10, signal);
    }
    return undefined;
  }

  async #close(signal: AbortSignal): Promise<void> {
    const port = this.#slot.apiPort;
    // All of ours are gone, or about to be.
    const before = await this.#strangers(port, goneMs, signal);
    const verdict = await this.#slot.switchApi(false, signal);
    switch (verdict.kind) {
      case "reloaded":
        this.#report(port, before, await this.#strangers(port, leaveMs, signal));
        break;
      case "refused":
        this.#warn(
          `Vector refused to close its API on port ${port}: ${verdict.reason || "see its log"}; it is tried again`,
        );
        this.#closeNotBefore = this.#clock.now().getTime() + closeRetryMs;
        setTimeout(this.#wake, closeRetryMs).unref();
        break;
      case "timed_out":
        this.#slot.kill();
        break;
      case "ended":
        break;
    }
  }

  /** How many clients are still connected after a while: none of them is ours. */
  async #strangers(port: number, patienceMs: number, signal: AbortSignal): Promise<number> {
    const until = this.#clock.now().getTime() + patienceMs;
    for (;;) {
      const count = await connectionsTo(port);
      if (count === 0 || this.#clock.now().getTime() >= until) return count;
      await this.#clock.sleep(20, signal);
    }
  }

  /** Some versions of Vector end attached streams when the API is closed; in others they live on. */
  #report(port: number, before: number, after: number): void {
    const count = Math.max(before, after);
    if (count === 0) return;
    const many = count > 1;
    const who = `${count} foreign connection${many ? "s" : ""}`;
    this.#warn(
      after > 0
        ? `${who} ${many ? "are" : "is"} still attached to Vector's API on port ${port} and can read every event: find the program, and restart the pipeline to end it`
        : `${who} ${many ? "were" : "was"} attached to Vector's API on port ${port} while it was open, and could read every event; closing it has ended that`,
    );
  }
}
