/** What one viewer waits for: bounded in bytes, and what a slow viewer misses is counted. */
export class ViewerQueue<T> {
  readonly #maxBytes: number;
  #items: { readonly item: T; readonly bytes: number }[] = [];
  #bytes = 0;
  #dropped = 0;
  #end: string | undefined;
  #waiter: PromiseWithResolvers<void> | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Returns false when there is no room: then the item is counted as dropped. */
  push(item: T, bytes: number): boolean {
    if (this.#end !== undefined) return true;
    if (this.#bytes + bytes > this.#maxBytes) {
      this.#dropped += 1;
      return false;
    }
    this.#bytes += bytes;
    this.#items.push({ item, bytes });
    this.#wake();
    return true;
  }

  /** What others left out before. */
  drop(count: number): void {
    this.#dropped += count;
    if (count > 0) this.#wake();
  }

  /** Nothing comes any more; the reason is for people. The first one counts. */
  end(reason: string): void {
    this.#end ??= reason;
    this.#wake();
  }

  /** Waits for something, at most `ms`; then returns what there is, which may be nothing. */
  async take(
    ms: number,
    signal: AbortSignal,
  ): Promise<{ readonly items: readonly T[]; readonly dropped: number; readonly end?: string }> {
    if (this.#items.length === 0 && this.#dropped === 0 && this.#end === undefined) {
      const waiter = (this.#waiter = Promise.withResolvers<void>());
      const timer = setTimeout(waiter.resolve, ms);
      signal.addEventListener("abort", () => waiter.resolve(), { once: true });
      if (signal.aborted) waiter.resolve();
      await waiter.promise;
      clearTimeout(timer);
    }
    const taken = { items: this.#items.map(({ item }) => item), dropped: this.#dropped };
    this.#items = [];
    this.#bytes = 0;
    this.#dropped = 0;
    return this.#end === undefined ? taken : { ...taken, end: this.#end };
  }

  #wake(): void {
    this.#waiter?.resolve();
    this.#waiter = undefined;
  }
}
