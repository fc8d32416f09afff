/** Smaller messages go out at once. */
const smallBytes = 100_000;
const maximumBytes = 64_000_000;
/** An agent that reads slowly holds the others up no longer. */
const longestMs = 5000;

/**
 * Lets large messages go out a few at a time, in the order in which they came. Each is a copy in memory until its agent
 * has read it, and a deploy has one for each host.
 */
export class SendPace {
  #underWayBytes = 0;
  #isStarting = false;
  readonly #waiting: (() => void)[] = [];

  /** Calls `send` when it is its turn; `send` calls `done` when the message is read, or will never be. */
  pace(bytes: number, send: (done: () => void) => void): void {
    if (bytes <= smallBytes) {
      send(() => {});
      return;
    }
    const start = (): void => {
      this.#underWayBytes += bytes;
      let isOver = false;
      const done = (): void => {
        clearTimeout(timer);
        if (isOver) return;
        isOver = true;
        this.#underWayBytes -= bytes;
        this.#startWaiting();
      };
      const timer = setTimeout(done, longestMs);
      timer.unref();
      send(done);
    };
    this.#waiting.push(start);
    this.#startWaiting();
  }

  #startWaiting(): void {
    // One that is over at once comes back here: the loop that started it goes on.
    if (this.#isStarting) return;
    this.#isStarting = true;
    while (this.#underWayBytes < maximumBytes) {
      const start = this.#waiting.shift();
      if (start === undefined) break;
      start();
    }
    this.#isStarting = false;
  }
}
