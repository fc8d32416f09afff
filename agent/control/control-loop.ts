import { status } from "@grpc/grpc-js";
import { fullJitter } from "#common/backoff.ts";
import { runSession, type SessionDeps, type SessionEnd } from "./session.ts";

/** A session that lived this long was a good one: the next pause begins short again. */
const stableMs = 30_000;
const retry = { minMs: 500, maxMs: 30_000 };
/** The server knows this node no more: only a person can change that, so there is no hurry. */
const refusedRetry = { minMs: 30_000, maxMs: 120_000 };

const refusals = new Set<status>([
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.UNIMPLEMENTED,
]);

/** The pause before the next session, with full jitter (P8). */
export function pauseAfter(end: SessionEnd, failures: number, random: number): number {
  return fullJitter(failures, refusals.has(end.code) ? refusedRetry : retry, random);
}

/** Keeps a session open until the signal. Nothing that happens here touches a running pipeline (P2). */
export async function runControlLoop(
  deps: SessionDeps & {
    readonly random: () => number;
    /** Closes the connection, so that the next session has one of its own. */
    reconnect(): void;
  },
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const startedAt = deps.clock.now().getTime();
    const end = await runSession(deps, signal);
    if (signal.aborted) return;
    // What took the connection and said nothing would hold the next session as well.
    if (end.code === status.DEADLINE_EXCEEDED && !end.welcomed) deps.reconnect();
    const lived = deps.clock.now().getTime() - startedAt;
    failures = end.welcomed && lived > stableMs ? 0 : failures + 1;
    const pauseMs = pauseAfter(end, failures - 1, deps.random());
    const level = refusals.has(end.code) ? "error" : "warn";
    deps.log[level]("not connected; pipelines keep running", { reason: end.reason, pauseMs });
    await deps.clock.sleep(pauseMs, signal).catch(() => {});
  }
}
