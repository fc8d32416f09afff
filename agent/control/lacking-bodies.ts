const firstPauseMs = 10_000;
const longestPauseMs = 10 * 60_000;

/**
 * When the server is asked for bodies that are not here. The first pause lets one arrive that is on its
 * way; a server that cannot send it is asked ever less often.
 */
export class LackingBodies {
  readonly #asked = new Map<string, { readonly dueAt: number; readonly pauseMs: number }>();

  /** The pipelines to ask for now, of those that lack their body. */
  due(lacking: readonly string[], now: number): readonly string[] {
    for (const id of this.#asked.keys()) if (!lacking.includes(id)) this.#asked.delete(id);
    return lacking.filter((id) => {
      const asked = this.#asked.get(id);
      if (asked !== undefined && now < asked.dueAt) return false;
      const pauseMs = Math.min(longestPauseMs, (asked?.pauseMs ?? firstPauseMs / 2) * 2);
      this.#asked.set(id, { dueAt: now + pauseMs, pauseMs });
      return asked !== undefined;
    });
  }
}
