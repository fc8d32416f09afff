import type { Message } from "@bufbuild/protobuf";
import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { CallTransaction } from "../db/transaction.ts";
import type { ServerDeps } from "../deps.ts";
import type { Actor, Scope } from "../scope.ts";

/** What the transport knows of a call before it is authenticated. */
export interface Caller {
  readonly ipAddress: string | undefined;
  readonly secure: boolean;
}

export const callerKey = createContextKey<Caller>(
  { ipAddress: undefined, secure: false },
  { description: "caller" },
);

export const actorKey = createContextKey<Actor>(
  { kind: "anonymous", ipAddress: undefined },
  { description: "actor" },
);

/** The transaction of a call that must not act twice. */
export const transactionKey = createContextKey<CallTransaction | undefined>(undefined, {
  description: "transaction",
});

/** The answer of the call that this one repeats: the service gives it instead of acting. */
export const replayKey = createContextKey<Message | undefined>(undefined, {
  description: "replay",
});

/** Repeats the access check of a stream; throws what a new call would be refused with. */
export const recheckKey = createContextKey<() => Promise<void>>(async () => {}, {
  description: "recheck",
});

/** The scope of a call: its own entity manager, its actor, its signal. */
export function callScope(deps: ServerDeps, ctx: HandlerContext): Scope {
  const em = deps.orm.em.fork();
  const call = ctx.values.get(transactionKey);
  return {
    // What a call has changed is seen by itself before anyone else.
    get em() {
      return call?.em ?? em;
    },
    actor: ctx.values.get(actorKey),
    clock: deps.clock,
    log: deps.log.child({ rpc: `${ctx.service.typeName}/${ctx.method.name}` }),
    signal: ctx.signal,
    call,
  };
}
