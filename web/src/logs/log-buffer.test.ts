import { expect, test } from "vitest";

import { aLogLine } from "../testing/builders.ts";
import { LogBuffer, maxLines, searchLines } from "./log-buffer.ts";

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => aLogLine({ id: `line-${from + index}` }));

test("lines that a new tail repeats count once", () => {
  const buffer = new LogBuffer();
  expect(buffer.add(lines(0, 10), 0)).toBe(10);
  expect(buffer.add(lines(5, 12), 3)).toBe(2);
  expect(buffer.toArray()).toHaveLength(12);
  expect(buffer.skipped).toBe(3);
});

test("keeps the newest lines, however many come", () => {
  const buffer = new LogBuffer();
  for (let at = 0; at < 4 * maxLines; at += 1_000) buffer.add(lines(at, at + 1_000), 0);
  expect(buffer.toArray()).toHaveLength(maxLines);
  expect(buffer.toArray().at(-1)?.id).toBe(`line-${4 * maxLines - 1}`);
  expect(buffer.add(lines(4 * maxLines - 10, 4 * maxLines), 0)).toBe(0);
});

test("searches without case, in hosts and components too", () => {
  const found = [
    aLogLine({ text: "Connection REFUSED" }),
    aLogLine({ text: "ok", componentKey: "parse" }),
  ];
  expect(searchLines(found, "refused")).toEqual([found[0]]);
  expect(searchLines(found, "PARSE")).toEqual([found[1]]);
  expect(searchLines(found, "  ")).toEqual(found);
});
