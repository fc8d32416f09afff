/** Tells open streams that somebody's access may have changed, so that they check it again at once (X2). */
export class AccessWatch {
  readonly #listeners = new Map<string, Set<() => void>>();

  /** Calls `listener` for each change that concerns a user, until disposed. */
  watch(userId: string, listener: () => void): Disposable {
    const listeners = this.#listeners.get(userId) ?? new Set();
    this.#listeners.set(userId, listeners.add(listener));
    return {
      [Symbol.dispose]: () => {
        listeners.delete(listener);
        if (listeners.size === 0 && this.#listeners.get(userId) === listeners) {
          this.#listeners.delete(userId);
        }
      },
    };
  }

  /** Somebody was locked, signed out, or their roles changed. */
  changed(userId: string): void {
    for (const listener of this.#listeners.get(userId) ?? []) listener();
  }

  /** Changes may have been missed. */
  everythingChanged(): void {
    for (const userId of this.#listeners.keys()) this.changed(userId);
  }
}
