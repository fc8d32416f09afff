import { plural } from "../lib/format.ts";

const dayMs = 86_400_000;
/** From here on one should have a new certificate at hand. */
const soonDays = 30;

/** How a certificate's end looks from now. */
export function expiryOf(
  endMs: number,
  nowMs: number,
): { readonly tone: "ok" | "warn" | "bad"; readonly text: string } {
  const days = Math.floor((endMs - nowMs) / dayMs);
  if (endMs <= nowMs) return { tone: "bad", text: "ended" };
  if (days < soonDays) return { tone: "warn", text: `ends in ${plural(days, "day")}` };
  return { tone: "ok", text: new Date(endMs).toISOString().slice(0, 10) };
}
