import { vi } from "vitest";

/** Waits until a check no longer throws. The limit is for a busy machine; a good run never comes near it. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 30_000, interval: 50 });
}
