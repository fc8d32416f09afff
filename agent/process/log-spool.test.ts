import { expect, test } from "vitest";
import { LogSpool, type SpooledLine } from "./log-spool.ts";

const line = (text: string): SpooledLine => ({
  pipelineId: "p",
  time: new Date(0),
  level: "info",
  stream: "stdout",
  componentId: "",
  text,
});

test("keeps a batch until it is acknowledged, under the same sequence (P7)", () => {
  const spool = new LogSpool("s");
  spool.add(line("one"));
  const batch = spool.nextBatch(10);
  expect(batch).toMatchObject({ sequence: 1, lost: 0 });
  expect(spool.unacknowledged).toEqual([batch]);
  spool.acknowledge(1);
  expect(spool.lines).toBe(0);
});

test("drops the oldest beyond its bound and counts them, once each way", () => {
  const spool = new LogSpool("s", { maxLines: 3, maxBytes: 1e6, maxLineBytes: 100 });
  for (const text of ["1", "2", "3", "4", "5"]) spool.add(line(text));
  expect(spool.takeLost()).toBe(2);
  expect(spool.takeLost()).toBe(0);
  const batch = spool.nextBatch(10);
  expect(batch?.lost).toBe(2);
  expect(batch?.lines.map(({ text }) => text)).toEqual(["3", "4", "5"]);
});
