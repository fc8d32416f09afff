import type { SimEvent } from "./event.ts";
import type { EventQueue } from "./event-queue.ts";

export interface Tap {
  events(outputId: string, componentId: string, events: readonly SimEvent[]): void;
  /** The topology is another one now. */
  changed(): void;
}

/** Everyone who watches outputs (the API's clients). Never slows an output down. */
export class TapHub {
  readonly #taps = new Set<Tap>();

  add(tap: Tap): () => void {
    this.#taps.add(tap);
    return () => this.#taps.delete(tap);
  }

  publish(outputId: string, componentId: string, events: readonly SimEvent[]): void {
    for (const tap of this.#taps) tap.events(outputId, componentId, events);
  }

  changed(): void {
    for (const tap of this.#taps) tap.changed();
  }
}

/** One output of a component, and the queues of its consumers. A paused consumer makes it wait. */
export class Fanout {
  readonly id: string;
  readonly #componentId: string;
  readonly #hub: TapHub;
  readonly #targets = new Map<string, EventQueue | undefined>();
  #changed = Promise.withResolvers<void>();

  constructor(id: string, componentId: string, hub: TapHub) {
    this.id = id;
    this.#componentId = componentId;
    this.#hub = hub;
  }

  attach(consumer: string, queue: EventQueue): void {
    this.#set(() => this.#targets.set(consumer, queue));
  }

  /** The consumer is being replaced: events wait for the new one. */
  pause(consumer: string): void {
    this.#set(() => this.#targets.set(consumer, undefined));
  }

  detach(consumer: string): void {
    this.#set(() => this.#targets.delete(consumer));
  }

  has(consumer: string): boolean {
    return this.#targets.has(consumer);
  }

  #set(change: () => void): void {
    change();
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Resolves when every consumer has taken the events into its queue. */
  async send(events: readonly SimEvent[]): Promise<void> {
    if (events.length === 0) return;
    this.#hub.publish(this.id, this.#componentId, events);
    await Promise.all([...this.#targets.keys()].map((consumer) => this.#deliver(consumer, events)));
  }

  async #deliver(consumer: string, events: readonly SimEvent[]): Promise<void> {
    while (this.#targets.has(consumer)) {
      const queue = this.#targets.get(consumer);
      if (queue !== undefined) {
        await queue.push(events);
        return;
      }
      await this.#changed.promise;
    }
  }
}
