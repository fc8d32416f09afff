import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SendPace } from "./send-pace.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Offers messages of 30 MB under names, and tells which went out and how to end them. */
function largeMessages() {
  const pace = new SendPace();
  const sent: string[] = [];
  const ends = new Map<string, () => void>();
  const offer = (name: string, bytes = 30_000_000): void =>
    pace.pace(bytes, (done) => {
      sent.push(name);
      ends.set(name, done);
    });
  return { pace, sent, offer, end: (name: string) => ends.get(name)?.() };
}

test("large messages go out in their order, as those before them are read", () => {
  const { sent, offer, end } = largeMessages();
  for (const name of ["a", "b", "c", "d", "e"]) offer(name);
  expect(sent).toEqual(["a", "b", "c"]);
  end("b");
  end("b");
  expect(sent).toEqual(["a", "b", "c", "d"]);
  offer("small", 1000);
  expect(sent).toEqual(["a", "b", "c", "d", "small"]);
});

test("agents that do not read hold the others up for a moment only", () => {
  const { sent, offer, end } = largeMessages();
  for (const name of ["a", "b", "c", "d"]) offer(name);
  expect(sent).not.toContain("d");
  vi.advanceTimersByTime(5000);
  expect(sent).toContain("d");
  // What was given up is not given back twice.
  end("a");
  for (const name of ["e", "f", "g"]) offer(name);
  expect(sent).toEqual(["a", "b", "c", "d", "e", "f"]);
});

test("one message is larger than all that may be under way, and goes out", () => {
  const { sent, offer } = largeMessages();
  offer("huge", 100_000_000);
  offer("next");
  expect(sent).toEqual(["huge"]);
});

test("very many that nobody wants any more are passed over", () => {
  const pace = new SendPace();
  let over = 0;
  for (const _ of Array.from({ length: 3 })) pace.pace(30_000_000, () => {});
  for (const _ of Array.from({ length: 20_000 })) {
    pace.pace(30_000_000, (done) => {
      over += 1;
      done();
    });
  }
  expect(over).toBe(0);
  vi.advanceTimersByTime(5000);
  expect(over).toBe(20_000);
});
