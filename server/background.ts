/** How long an end waits for what hangs. */
const closeMs = 2000;

/**
 * Work with the database that nobody waits for, except the end of the server: it closes its connections only when all
 * of it is done, so that what was being written is written.
 */
export class Background implements AsyncDisposable {
  readonly #works = new Set<Promise<unknown>>();

  /** Returns what it is given; a failure is the caller's to handle. */
  track<T>(work: Promise<T>): Promise<T> {
    const settled: Promise<unknown> = work
      .catch(() => {})
      .finally(() => this.#works.delete(settled));
    this.#works.add(settled);
    return work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, closeMs);
    const all = async (): Promise<void> => {
      while (this.#works.size > 0) await Promise.all(this.#works);
    };
    await Promise.race([all(), late.promise]);
    clearTimeout(timer);
  }
}
