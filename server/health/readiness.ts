import type { ServerDeps } from "../deps.ts";

const timeoutMs = 2000;

/** Whether the server can do its work: it is not shutting down, and the database answers. */
export async function isReady(deps: Pick<ServerDeps, "pool" | "signal">): Promise<boolean> {
  if (deps.signal.aborted) return false;
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), timeoutMs);
  try {
    const answer = deps.pool.query("select 1").then(
      () => true,
      () => false,
    );
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
