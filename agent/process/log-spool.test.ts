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

test("a minute without a server at a thousand lines a second costs what does not fit, and no more", () => {
  const spool = new LogSpool("s");
  for (let n = 0; n < 60_000; n++) spool.add(line(`line ${n}`));
  expect(spool.lines).toBe(10_000);
  expect(spool.takeLost()).toBe(50_000);
  // The server is back, and takes two thousand lines at a time.
  const texts: string[] = [];
  let lost = 0;
  for (let batch = spool.nextBatch(2_000); batch !== undefined; batch = spool.nextBatch(2_000)) {
    texts.push(...batch.lines.map(({ text }) => text));
    lost += batch.lost;
    spool.acknowledge(batch.sequence);
  }
  expect(lost).toBe(50_000);
  expect(texts).toHaveLength(10_000);
  expect([texts[0], texts.at(-1)]).toEqual(["line 50000", "line 59999"]);
  expect(spool.lines).toBe(0);
});
