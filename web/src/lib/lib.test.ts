import { expect, test, vi } from "vitest";

import { copyText } from "./copy-text.ts";
import { formatBytes, formatCount, formatPercent, formatRate, plural } from "./format.ts";
import { RingBuffer } from "./ring-buffer.ts";
import { formatAgo, formatDuration, toDate, toTimestamp } from "./time.ts";

test.each([
  [0, "0"],
  [0.04, "<0.1"],
  [7.26, "7.3"],
  [999, "999"],
  [1_234, "1.2k"],
  [56_789, "57k"],
  [2_000_000, "2M"],
  [-1_500, "-1.5k"],
  [Number.NaN, "–"],
  [undefined, "–"],
])("%s counts as %s", (value, expected) => {
  expect(formatCount(value)).toBe(expected);
});

test("units follow their numbers", () => {
  expect(formatRate(1_200)).toBe("1.2k/s");
  expect(formatRate(undefined)).toBe("–");
  expect(formatBytes(8 * 1024 ** 3)).toBe("8 GiB");
  expect(formatPercent(0.423)).toBe("42 %");
  expect(formatPercent(0.042)).toBe("4.2 %");
  expect(plural(1, "host")).toBe("1 host");
  expect(plural(2_000, "host")).toBe("2,000 hosts");
});

test.each([
  [-5_000, "now"],
  [12_000, "12 s ago"],
  [150_000, "2 min ago"],
  [3 * 3_600_000, "3 h ago"],
  [72 * 3_600_000, "3 d ago"],
])("%i ms before is %s", (age, expected) => {
  expect(formatAgo(1_000_000_000 - age, 1_000_000_000)).toBe(expected);
});

test("durations have two units at most", () => {
  expect([5, 192, 7_500, 200_000].map(formatDuration)).toEqual([
    "5 s",
    "3 min 12 s",
    "2 h 5 min",
    "2 d 7 h",
  ]);
});

test("timestamps keep their milliseconds", () => {
  expect(toDate(toTimestamp(1_700_000_000_123)).getTime()).toBe(1_700_000_000_123);
});

test("a ring keeps the newest and counts the rest", () => {
  const ring = new RingBuffer<number>(3);
  ring.push(1, 2);
  ring.push(3, 4, 5);
  expect(ring.toArray()).toEqual([3, 4, 5]);
  expect(ring.dropped).toBe(2);
});

// Over plain http there is no clipboard API.
test("copies without a secure context", async () => {
  const execCommand = vi.fn(() => true);
  Object.assign(document, { execCommand });
  expect(navigator.clipboard).toBeUndefined();
  expect(await copyText("hello")).toBe(true);
  expect(execCommand).toHaveBeenCalledWith("copy");
  expect(document.querySelector("textarea")).toBeNull();
});
