import type { EntityManager } from "@mikro-orm/postgresql";
import type { Scope } from "../scope.ts";

const retryable = new Set(["40001", "40P01"]);
const attempts = 5;

/**
 * Runs `work` in a transaction with an entity manager of its own, and again when PostgreSQL asks for it
 * (serialization failure, deadlock). Effects outside the database belong into NOTIFY: in a call that must not act
 * twice the transaction outlives `transact`, see `CallTransaction`.
 */
export async function transact<T>(scope: Scope, work: (scope: Scope) => Promise<T>): Promise<T> {
  const { call } = scope;
  const run = (em: EntityManager): Promise<T> => work({ ...scope, em });
  if (call?.em !== undefined) return call.em.transactional(run, { clear: true });
  for (let attempt = 1; ; attempt += 1) {
    const em = scope.em.fork();
    try {
      return await (call === undefined ? em.transactional(run) : call.begin(em, run));
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === undefined || !retryable.has(code) || attempt === attempts) throw error;
      scope.signal.throwIfAborted();
    }
  }
}

/** An entity manager that sees what the call has changed so far, and remembers nothing from before. */
export function freshView({ em }: Pick<Scope, "em">): EntityManager {
  return em.fork({ keepTransactionContext: true });
}

/**
 * The one transaction of a call that must not act twice. Its first change opens it, further ones are savepoints in
 * it, and the call reads through it what it answers; whoever answers then ends it. So the answer is stored with the
 * change, or there is neither.
 */
export class CallTransaction {
  readonly #claim: (em: EntityManager) => Promise<void>;
  #em: EntityManager | undefined;

  /** `claim` is the transaction's first statement. */
  constructor(claim: (em: EntityManager) => Promise<void>) {
    this.#claim = claim;
  }

  /** Set once something was changed. */
  get em(): EntityManager | undefined {
    return this.#em;
  }

  /** Makes the first change, and leaves its transaction open; a change that fails leaves nothing. */
  async begin<T>(em: EntityManager, change: (em: EntityManager) => Promise<T>): Promise<T> {
    await em.begin();
    try {
      await this.#claim(em);
      const result = await change(em);
      await em.flush();
      this.#em = freshView({ em });
      return result;
    } catch (error) {
      await em.rollback();
      throw error;
    }
  }

  /** Ends it with a last statement. */
  async commit(last: (em: EntityManager) => Promise<void>): Promise<void> {
    const em = this.#em;
    if (em === undefined) return;
    try {
      await last(em);
      await em.commit();
      this.#em = undefined;
    } catch (error) {
      await this.rollback();
      throw error;
    }
  }

  async rollback(): Promise<void> {
    const em = this.#em;
    this.#em = undefined;
    await em?.rollback();
  }
}
