import { type SimEvent, sizeOfAll } from "./event.ts";

export interface QueueHooks {
  accepted?(events: readonly SimEvent[]): void;
  /** Gets what does not fit; without it writers wait. */
  dropped?(events: readonly SimEvent[]): void;
}

/**
 * The bounded buffer in front of a transform or sink. A full one makes its writers wait, or drops
 * what is newest. One reader at a time; a sink that takes over from another gets the same queue.
 */
export class EventQueue {
  readonly #capacity: number;
  readonly #hooks: QueueHooks;
  #events: SimEvent[] = [];
  #closed = false;
  #space: PromiseWithResolvers<void> | undefined;
  #data: PromiseWithResolvers<void> | undefined;

  constructor(capacity: number, hooks: QueueHooks = {}) {
    this.#capacity = capacity;
    this.#hooks = hooks;
  }

  get length(): number {
    return this.#events.length;
  }

  get bytes(): number {
    return sizeOfAll(this.#events);
  }

  /** Resolves when all events are in the queue, or dropped. */
  async push(events: readonly SimEvent[]): Promise<void> {
    let rest = events;
    while (rest.length > 0 && !this.#closed) {
      const fits = rest.slice(0, Math.max(0, this.#capacity - this.#events.length));
      if (fits.length > 0) {
        this.#events.push(...fits);
        this.#hooks.accepted?.(fits);
        this.#data?.resolve();
        rest = rest.slice(fits.length);
      } else if (this.#hooks.dropped !== undefined) {
        this.#hooks.dropped(rest);
        return;
      } else {
        this.#space ??= Promise.withResolvers();
        await this.#space.promise;
      }
    }
  }

  /** Waits for events. Undefined when the queue is closed and empty, or `signal` is aborted. */
  async take(max: number, signal: AbortSignal): Promise<readonly SimEvent[] | undefined> {
    while (this.#events.length === 0) {
      if (this.#closed || signal.aborted) return undefined;
      const data = (this.#data ??= Promise.withResolvers());
      const wake = (): void => data.resolve();
      signal.addEventListener("abort", wake, { once: true });
      await data.promise;
      signal.removeEventListener("abort", wake);
      this.#data = undefined;
    }
    if (signal.aborted) return undefined;
    const taken = this.#events.splice(0, max);
    this.#space?.resolve();
    this.#space = undefined;
    return taken;
  }

  /** No more writers; the reader gets what is left. */
  close(): void {
    this.#closed = true;
    this.#data?.resolve();
    this.#space?.resolve();
    this.#space = undefined;
  }
}
