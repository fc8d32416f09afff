import { createContextKey, type HandlerContext } from "@connectrpc/connect";
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

/** Repeats the access check of a stream; throws what a new call would be refused with. */
export const recheckKey = createContextKey<() => Promise<void>>(async () => {}, {
  description: "recheck",
});

/** The scope of a call: its own entity manager, its actor, its signal. */
export function callScope(deps: ServerDeps, ctx: HandlerContext): Scope {
  return {
    em: deps.orm.em.fork(),
    actor: ctx.values.get(actorKey),
    clock: deps.clock,
    log: deps.log.child({ rpc: `${ctx.service.typeName}/${ctx.method.name}` }),
    signal: ctx.signal,
  };
}
