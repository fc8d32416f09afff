import type { Interceptor } from "@connectrpc/connect";
import { DomainError } from "../errors.ts";
import { actorKey, callerKey } from "./call-scope.ts";

/** Open streams of one person on this replica: two for each of a hundred tabs. */
export const streamsPerUser = 200;
/** Health checks and reflection, without a session. */
export const streamsPerAddress = 50;

/** Bounds how many streams one client may hold open (S11). Throws `exhausted` for the next one. */
export function streamLimitInterceptor(): Interceptor {
  const open = new Map<string, number>();
  const count = (key: string, change: 1 | -1): void => {
    const next = (open.get(key) ?? 0) + change;
    if (next <= 0) open.delete(key);
    else open.set(key, next);
  };
  return (next) => async (request) => {
    if (!request.stream) return next(request);
    const actor = request.contextValues.get(actorKey);
    const user = actor.kind === "user" ? actor.userId : undefined;
    const key = user ?? `address:${request.contextValues.get(callerKey).ipAddress ?? ""}`;
    const limit = user === undefined ? streamsPerAddress : streamsPerUser;
    if ((open.get(key) ?? 0) >= limit) {
      throw new DomainError(
        "exhausted",
        "too_many_streams",
        `${limit} streams are open already: close some pages or programs that follow live data`,
      );
    }
    count(key, 1);
    let counted = true;
    const leave = (): void => {
      if (counted) count(key, -1);
      counted = false;
    };
    // A client that is gone gives its place back at once, also while the handler waits for something else.
    request.signal.addEventListener("abort", leave, { once: true });
    try {
      const response = await next(request);
      if (!response.stream) return response;
      const messages = response.message;
      const followed = async function* (): AsyncGenerator {
        try {
          yield* messages;
        } finally {
          leave();
        }
      };
      return { ...response, message: followed() } as typeof response;
    } catch (error) {
      leave();
      throw error;
    }
  };
}
