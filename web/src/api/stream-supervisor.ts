import type { Clock } from "../lib/clock.ts";
import { toUiError, type UiError } from "./errors.ts";

/**
 * Keeps one server stream open for as long as somebody wants it. Invariants:
 *
 * 1. A stream that is silent for longer than `silenceMs` is dead: a frozen server sends no error.
 * 2. Pauses grow with full jitter and end at once when the network or the window comes back.
 * 3. A stream that worked for `stableMs` proves the server well: the next failure starts small again.
 * 4. A window that nobody sees lets go of its connection, since HTTP/1.1 has six for all tabs.
 */
export const silenceMs = 25_000;
export const stableMs = 10_000;
export const hiddenMs = 30_000;
const backoff = { minMs: 500, maxMs: 15_000 };

export type StreamStatus =
  /** No stream has worked yet. */
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** What was received may be out of date. */
  | { readonly kind: "stale"; readonly retryAt: number | undefined }
  /** As stale, and the browser says that it has no network. */
  | { readonly kind: "offline" }
  | { readonly kind: "signed-out" }
  /** Asking again is of no use: gone, forbidden or wrong. */
  | { readonly kind: "refused"; readonly error: UiError };

/** What the browser knows about itself. */
export interface Surroundings {
  online(): boolean;
  visible(): boolean;
  /** Calls back when one of them changes, or when a person asks to try now. */
  subscribe(listener: () => void): () => void;
}

export interface StreamDeps<T> {
  readonly clock: Clock;
  readonly surroundings: Surroundings;
  readonly random: () => number;
  open(signal: AbortSignal): AsyncIterable<T>;
  /** A new stream is about to be opened. */
  onOpen(): void;
  onMessage(message: T): void;
  onStatus(status: StreamStatus): void;
}

type Verdict =
  | { readonly kind: "signed-out" }
  | { readonly kind: "refused"; readonly error: UiError }
  | { readonly kind: "hidden" }
  /** `ended`: by the server, without an error, after it worked for a while. */
  | { readonly kind: "again"; readonly ended: boolean; readonly stable: boolean };

/** Returns when the signal is aborted, or when asking again is of no use. Never rejects. */
export async function superviseStream<T>(deps: StreamDeps<T>, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const verdict = await attempt(deps, signal);
    if (signal.aborted) return;
    switch (verdict.kind) {
      case "signed-out":
      case "refused":
        deps.onStatus(verdict);
        return;
      case "hidden":
        deps.onStatus({ kind: "stale", retryAt: undefined });
        await untilVisible(deps.surroundings, signal);
        failures = 0;
        break;
      case "again": {
        if (verdict.stable) failures = 0;
        // Servers end streams that are old; that is no reason for a pause or an alarm.
        if (verdict.stable && verdict.ended) break;
        const delayMs = retryDelay(failures, deps.random());
        failures++;
        deps.onStatus(
          deps.surroundings.online()
            ? { kind: "stale", retryAt: deps.clock.now() + delayMs }
            : { kind: "offline" },
        );
        await wakeableDelay(deps, delayMs, signal);
        break;
      }
    }
  }
}

/** The pause before the next attempt, with full jitter. */
export function retryDelay(failures: number, random: number): number {
  const limit = Math.min(backoff.maxMs, backoff.minMs * 2 ** Math.min(failures, 10));
  return Math.round(backoff.minMs + (limit - backoff.minMs) * random);
}

async function attempt<T>(deps: StreamDeps<T>, signal: AbortSignal): Promise<Verdict> {
  const { clock } = deps;
  const own = new AbortController();
  const stop = (): void => own.abort(new Error("stopped"));
  signal.addEventListener("abort", stop, { once: true });
  const startedAt = clock.now();
  let heardAt = startedAt;
  let received = false;
  let ended = false;
  let hidden = false;

  const watchdog = watch(async () => {
    for (;;) {
      await clock.sleep(heardAt + silenceMs - clock.now(), own.signal);
      if (clock.now() >= heardAt + silenceMs) return own.abort(new Error("silent"));
    }
  });
  const curtain = watch(async () => {
    await untilHiddenFor(deps, hiddenMs, own.signal);
    hidden = true;
    own.abort(new Error("hidden"));
  });

  try {
    deps.onOpen();
    for await (const message of deps.open(own.signal)) {
      if (own.signal.aborted) break;
      heardAt = clock.now();
      if (!received) deps.onStatus({ kind: "live" });
      received = true;
      deps.onMessage(message);
    }
    ended = !own.signal.aborted;
  } catch (thrown) {
    if (!own.signal.aborted) {
      const error = toUiError(thrown);
      if (error.kind === "signed_out") return { kind: "signed-out" };
      if (error.kind === "forbidden" || error.kind === "not_found" || error.kind === "invalid") {
        return { kind: "refused", error };
      }
    }
  } finally {
    own.abort(new Error("ended"));
    signal.removeEventListener("abort", stop);
    await Promise.all([watchdog, curtain]);
  }
  if (hidden) return { kind: "hidden" };
  return { kind: "again", ended, stable: received && heardAt - startedAt >= stableMs };
}

/** Runs a loop that ends by its signal's rejection. */
async function watch(loop: () => Promise<void>): Promise<void> {
  try {
    await loop();
  } catch {
    // The attempt is over; that is how these loops end.
  }
}

async function untilHiddenFor(
  deps: { clock: Clock; surroundings: Surroundings },
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    while (deps.surroundings.visible()) await nextChange(deps.surroundings, signal);
    const shown = new AbortController();
    const unsubscribe = deps.surroundings.subscribe(() => {
      if (deps.surroundings.visible()) shown.abort(new Error("shown"));
    });
    const end = (): void => shown.abort(new Error("ended"));
    signal.addEventListener("abort", end, { once: true });
    try {
      await deps.clock.sleep(ms, shown.signal);
      return;
    } catch {
      signal.throwIfAborted();
    } finally {
      unsubscribe();
      signal.removeEventListener("abort", end);
    }
  }
}

async function untilVisible(surroundings: Surroundings, signal: AbortSignal): Promise<void> {
  try {
    while (!surroundings.visible()) await nextChange(surroundings, signal);
  } catch {
    // Aborted; the caller looks at the signal.
  }
}

function nextChange(surroundings: Surroundings, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => {
      unsubscribe();
      reject(signal.reason as Error);
    };
    const unsubscribe = surroundings.subscribe(() => {
      unsubscribe();
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** Waits, but not when something changed for the better. */
async function wakeableDelay<T>(
  deps: StreamDeps<T>,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  const own = new AbortController();
  const end = (): void => own.abort(new Error("woken"));
  signal.addEventListener("abort", end, { once: true });
  const unsubscribe = deps.surroundings.subscribe(() => {
    if (deps.surroundings.online() && deps.surroundings.visible()) end();
  });
  try {
    await deps.clock.sleep(ms, own.signal);
  } catch {
    // Woken early.
  } finally {
    unsubscribe();
    signal.removeEventListener("abort", end);
  }
}
