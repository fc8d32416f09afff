import type { HandlerContext } from "@connectrpc/connect";
import { findSessionById } from "../auth/sessions.ts";
import type { ServerDeps } from "../deps.ts";
import { DomainError } from "../errors.ts";
import { actorKey } from "./call-scope.ts";

const longestMs = 30 * 60_000;
const recheckMs = 5000;

/**
 * The life of a stream: it ends with the call, after half an hour, and within seconds of the end of the session
 * that opened it (X2), because a stream outlives the check at its beginning.
 */
export function streamSignal(
  deps: ServerDeps,
  ctx: HandlerContext,
): Disposable & { readonly signal: AbortSignal; throwIfEnded(): void } {
  const actor = ctx.values.get(actorKey);
  const over = new AbortController();
  let ended: DomainError | undefined;
  const end = (error: DomainError | undefined): void => {
    ended = error;
    over.abort();
  };
  const timer = setTimeout(() => end(undefined), longestMs);
  const recheck = setInterval(() => {
    if (actor.kind !== "user") return;
    findSessionById(deps.orm.em.fork(), actor.sessionId, deps.clock.now()).then(
      (alive) => {
        if (!alive)
          end(new DomainError("unauthenticated", "session_ended", "the session has ended"));
      },
      // The database is away for the moment: the next check decides.
      () => {},
    );
  }, recheckMs);
  return {
    signal: AbortSignal.any([ctx.signal, over.signal]),
    throwIfEnded() {
      if (ended !== undefined) throw ended;
      ctx.signal.throwIfAborted();
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      clearInterval(recheck);
    },
  };
}
