/** A one-slot mailbox: a value put before the last one was taken replaces it. */
export class Latest<T> {
  #value: { readonly value: T } | undefined;
  #waiter: PromiseWithResolvers<void> | undefined;

  put(value: T): void {
    this.#value = { value };
    this.#waiter?.resolve();
    this.#waiter = undefined;
  }

  /** Takes the value, waiting for one if there is none. One taker at a time. */
  async take(signal: AbortSignal): Promise<T> {
    while (this.#value === undefined) {
      signal.throwIfAborted();
      const waiter = (this.#waiter ??= Promise.withResolvers<void>());
      const onAbort = (): void => waiter.reject(signal.reason as Error);
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        await waiter.promise;
      } finally {
        signal.removeEventListener("abort", onAbort);
        if (signal.aborted) this.#waiter = undefined;
      }
    }
    const { value } = this.#value;
    this.#value = undefined;
    return value;
  }
}
