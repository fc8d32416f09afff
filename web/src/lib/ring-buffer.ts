/** Keeps the newest `capacity` items. */
export class RingBuffer<T> {
  readonly #items: T[] = [];
  readonly capacity: number;
  #dropped = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  push(...items: readonly T[]): void {
    this.#items.push(...items);
    const excess = this.#items.length - this.capacity;
    if (excess > 0) {
      this.#items.splice(0, excess);
      this.#dropped += excess;
    }
  }

  clear(): void {
    this.#items.length = 0;
    this.#dropped = 0;
  }

  /** Oldest first. */
  toArray(): readonly T[] {
    return this.#items.slice();
  }

  get length(): number {
    return this.#items.length;
  }

  /** How many old items had to go. */
  get dropped(): number {
    return this.#dropped;
  }
}
