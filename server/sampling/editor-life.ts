import type { HandlerContext } from "@connectrpc/connect";
import type { ServerDeps } from "../deps.ts";
import { DomainError } from "../errors.ts";
import { callScope } from "../rpc/call-scope.ts";
import { streamSignal } from "../rpc/stream-signal.ts";
import { includesRole, roleIn, teamOf } from "../teams/access.ts";

const recheckMs = 5000;

/**
 * The life of a stream of raw events: that of any stream, and within seconds it ends for a person who is no
 * editor of the pipeline's team any more (X2, X3).
 */
export function editorLife(
  deps: ServerDeps,
  ctx: HandlerContext,
  pipelineId: string,
): Disposable & { readonly signal: AbortSignal; throwIfEnded(): void } {
  const life = streamSignal(deps, ctx);
  const over = new AbortController();
  const timer = setInterval(() => {
    mayEdit(deps, ctx, pipelineId).then(
      (may) => {
        if (!may) over.abort(new DomainError("forbidden", "not_allowed", "you are no editor here"));
      },
      // The database is away for the moment: the next check decides.
      () => {},
    );
  }, recheckMs);
  return {
    signal: AbortSignal.any([life.signal, over.signal]),
    throwIfEnded() {
      over.signal.throwIfAborted();
      life.throwIfEnded();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      life[Symbol.dispose]();
    },
  };
}

async function mayEdit(
  deps: ServerDeps,
  ctx: HandlerContext,
  pipelineId: string,
): Promise<boolean> {
  const scope = callScope(deps, ctx);
  try {
    const { teamId } = await teamOf(scope, "pipeline", pipelineId);
    const role = await roleIn(scope, teamId);
    return role !== undefined && includesRole(role, "EDITOR");
  } catch (error) {
    // The pipeline is gone.
    if (error instanceof DomainError) return false;
    throw error;
  }
}
