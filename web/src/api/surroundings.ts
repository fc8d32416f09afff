import type { Surroundings } from "./stream-supervisor.ts";

/** The browser's surroundings, with a way for a person to say "try now". */
export function createSurroundings(): Surroundings & { poke(): void } {
  const pokes = new EventTarget();
  return {
    online: () => navigator.onLine,
    visible: () => document.visibilityState === "visible",
    subscribe(listener) {
      window.addEventListener("online", listener);
      window.addEventListener("offline", listener);
      document.addEventListener("visibilitychange", listener);
      pokes.addEventListener("poke", listener);
      return () => {
        window.removeEventListener("online", listener);
        window.removeEventListener("offline", listener);
        document.removeEventListener("visibilitychange", listener);
        pokes.removeEventListener("poke", listener);
      };
    },
    poke: () => pokes.dispatchEvent(new Event("poke")),
  };
}
