import type { Surroundings } from "../api/stream-supervisor.ts";

/** A browser that is online and visible until a test says otherwise. */
export class FakeSurroundings implements Surroundings {
  #online = true;
  #visible = true;
  readonly #listeners = new Set<() => void>();

  online(): boolean {
    return this.#online;
  }

  visible(): boolean {
    return this.#visible;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  set(change: { readonly online?: boolean; readonly visible?: boolean }): void {
    this.#online = change.online ?? this.#online;
    this.#visible = change.visible ?? this.#visible;
    for (const listener of this.#listeners) listener();
  }

  /** How many wait for a change; none may be left behind. */
  get listenerCount(): number {
    return this.#listeners.size;
  }
}
