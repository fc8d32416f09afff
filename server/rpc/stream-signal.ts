import type { HandlerContext } from "@connectrpc/connect";
import type { ServerDeps } from "../deps.ts";
import { DomainError } from "../errors.ts";
import { actorKey, recheckKey } from "./call-scope.ts";

const longestMs = 30 * 60_000;
const recheckMs = 5000;

/**
 * The life of a stream: it ends with the call, after half an hour, and within seconds of the moment at which the
 * call would be refused (X2): when the session ends, its user is locked, or leaves the team.
 */
export function streamSignal(
  deps: ServerDeps,
  ctx: HandlerContext,
): Disposable & { readonly signal: AbortSignal; throwIfEnded(): void } {
  const actor = ctx.values.get(actorKey);
  const check = ctx.values.get(recheckKey);
  const over = new AbortController();
  let ended: DomainError | undefined;
  const end = (error: DomainError | undefined): void => {
    ended = error;
    over.abort();
  };
  const recheck = (): void => {
    check().catch((error: unknown) => {
      // Anything else: the database is away for the moment, and the next check decides.
      if (error instanceof DomainError) end(error);
    });
  };
  const timer = setTimeout(() => end(undefined), longestMs);
  const interval = setInterval(recheck, recheckMs);
  const watch = actor.kind === "user" ? deps.access.watch(actor.userId, recheck) : undefined;
  return {
    signal: AbortSignal.any([ctx.signal, over.signal]),
    throwIfEnded() {
      if (ended !== undefined) throw ended;
      ctx.signal.throwIfAborted();
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      clearInterval(interval);
      watch?.[Symbol.dispose]();
    },
  };
}
