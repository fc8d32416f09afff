/** One opened stream: the test says what comes, and how it ends. */
export class FakeStream<T> implements AsyncIterable<T> {
  readonly signal: AbortSignal;
  readonly #items: (() => IteratorResult<T>)[] = [];
  #wake: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.signal = signal;
    signal.addEventListener("abort", () => this.fail(signal.reason), { once: true });
  }

  send(item: T): void {
    this.#push(() => ({ done: false, value: item }));
  }

  end(): void {
    this.#push(() => ({ done: true, value: undefined }));
  }

  fail(reason: unknown): void {
    this.#push(() => {
      throw reason;
    });
  }

  #push(item: () => IteratorResult<T>): void {
    this.#items.push(item);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const item = this.#items.shift();
      if (item === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const result = item();
      if (result.done === true) return;
      yield result.value;
    }
  }
}
