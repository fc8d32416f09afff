import type { Scope } from "../scope.ts";

const retryable = new Set(["40001", "40P01"]);
const attempts = 5;

/**
 * Runs `work` in a transaction with an entity manager of its own, and again when PostgreSQL asks for it
 * (serialization failure, deadlock). Effects outside the database belong after it, or into NOTIFY.
 */
export async function transact<T>(scope: Scope, work: (scope: Scope) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await scope.em.fork().transactional(async (em) => {
        await scope.claim?.(em);
        return work({ ...scope, em });
      });
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === undefined || !retryable.has(code) || attempt === attempts) throw error;
      scope.signal.throwIfAborted();
    }
  }
}
