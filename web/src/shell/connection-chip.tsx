import { createSignal, onCleanup, type JSX } from "solid-js";

import type { StreamStatus } from "../api/stream-supervisor.ts";
import { useApi } from "../state/api.tsx";
import { useLive } from "../state/live.tsx";
import { assertNever } from "../lib/assert-never.ts";
import { StateMark, type Tone } from "../ui/mark.tsx";

/** Whether what is on show is up to date. A click tries again at once. */
export function ConnectionChip(): JSX.Element {
  const { surroundings, clock } = useApi();
  const live = useLive();
  const [now, setNow] = createSignal(clock.now());
  const timer = setInterval(() => setNow(clock.now()), 1_000);
  onCleanup(() => clearInterval(timer));
  const shown = (): { tone: Tone; word: string } => describeStatus(live.status(), now());
  return (
    <button
      type="button"
      class="connection"
      title="Live connection to the server; click to try again now"
      onClick={() => surroundings.poke()}
    >
      <span role="status">
        <StateMark tone={shown().tone}>{shown().word}</StateMark>
      </span>
    </button>
  );
}

export function describeStatus(status: StreamStatus, nowMs: number): { tone: Tone; word: string } {
  switch (status.kind) {
    case "connecting":
      return { tone: "idle", word: "Connecting…" };
    case "live":
      return { tone: "ok", word: "Live" };
    case "stale": {
      if (status.retryAt === undefined) return { tone: "warn", word: "Paused" };
      const seconds = Math.ceil((status.retryAt - nowMs) / 1000);
      return {
        tone: "warn",
        word: seconds > 0 ? `Reconnecting in ${seconds} s` : "Reconnecting…",
      };
    }
    case "offline":
      return { tone: "bad", word: "Offline" };
    case "signed-out":
      return { tone: "idle", word: "Signed out" };
    case "refused":
      return { tone: "bad", word: "No live data" };
    default:
      return assertNever(status);
  }
}
