import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { systemClock } from "#common/clock.ts";
import type { ApiLease } from "../process/api-lease.ts";
import { TopTerminal } from "./terminal.ts";

/** A program that writes without end, as long as nobody holds it up. */
function flood(): ApiLease {
  const path = join(import.meta.dirname, "../testing/flood");
  const executable = { path, version: "0.58.0", simulated: true, fileId: "" };
  const ended = new AbortController().signal;
  return { port: 1, executable, configText: "", ended, [Symbol.dispose]: () => {} };
}

const options = { columns: 80, rows: 24, componentIds: [], env: {}, clock: systemClock };

test("without a key it is closed; what it writes is bounded", async () => {
  let bytes = 0;
  const terminal = new TopTerminal(
    { ...options, idleMs: 1500 },
    { opened: () => {}, output: (content) => (bytes += content.length), isFull: () => false },
  );
  const reason = await terminal.run(flood(), new AbortController().signal);
  expect(reason).toBe("no key came for 1.5 s");
  expect(bytes).toBeGreaterThan(0);
  // Half a mebibyte a second, and what the pipe holds.
  expect(bytes).toBeLessThan(3 * 1024 * 1024);
});

test("a key keeps it open; a reader that is too slow holds it up", async () => {
  let bytes = 0;
  let full = false;
  const stop = new AbortController();
  const terminal = new TopTerminal(
    { ...options, idleMs: 1000 },
    { opened: () => {}, output: (content) => (bytes += content.length), isFull: () => full },
  );
  const ended = terminal.run(flood(), stop.signal);
  const startedAt = performance.now();
  const keys = setInterval(() => terminal.input(Buffer.from("j")), 50);
  await vi.waitFor(() => expect(bytes).toBeGreaterThan(0), { timeout: 30_000 });
  full = true;
  let before = -1;
  // It comes to a halt, and goes on when the reader does.
  await vi.waitFor(
    () => {
      const settled = bytes === before;
      before = bytes;
      expect(settled).toBe(true);
    },
    { timeout: 30_000, interval: 100 },
  );
  full = false;
  await vi.waitFor(() => expect(bytes).toBeGreaterThan(before), { timeout: 30_000 });
  await vi.waitFor(() => expect(performance.now() - startedAt).toBeGreaterThan(1500), {
    timeout: 30_000,
  });
  clearInterval(keys);
  stop.abort();
  expect(await ended).toBe("closed");
});
