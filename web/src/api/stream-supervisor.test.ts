import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test } from "vitest";

import { FakeClock, settle } from "../testing/fake-clock.ts";
import { FakeStream } from "../testing/fake-stream.ts";
import { FakeSurroundings } from "../testing/fake-surroundings.ts";
import { hiddenMs, retryDelay, silenceMs, superviseStream } from "./stream-supervisor.ts";
import type { StreamStatus } from "./stream-supervisor.ts";

let clock: FakeClock;
let surroundings: FakeSurroundings;
let streams: FakeStream<string>[];
let messages: string[];
let statuses: StreamStatus[];
let stop: AbortController;
let done: Promise<void>;

beforeEach(async () => {
  clock = new FakeClock();
  surroundings = new FakeSurroundings();
  streams = [];
  messages = [];
  statuses = [];
  stop = new AbortController();
  done = superviseStream<string>(
    {
      clock,
      surroundings,
      random: () => 0.5,
      open(signal) {
        const stream = new FakeStream<string>(signal);
        streams.push(stream);
        return stream;
      },
      onOpen: () => {},
      onMessage: (message) => messages.push(message),
      onStatus: (status) => statuses.push(status),
    },
    stop.signal,
  );
  await settle();
});

afterEach(async () => {
  stop.abort(new Error("test is over"));
  await done;
  expect(clock.waits()).toEqual([]);
  expect(surroundings.listenerCount).toBe(0);
});

const newest = (): FakeStream<string> => {
  const stream = streams.at(-1);
  if (stream === undefined) throw new Error("no stream was opened");
  return stream;
};
const lost = new ConnectError("network error", Code.Unknown, undefined, undefined, new TypeError());

test("is live with the first message", async () => {
  newest().send("a");
  newest().send("b");
  await settle();
  expect(messages).toEqual(["a", "b"]);
  expect(statuses).toEqual([{ kind: "live" }]);
});

test("tries again after a pause that grows", async () => {
  newest().fail(lost);
  await settle();
  expect(statuses.at(-1)).toEqual({ kind: "stale", retryAt: clock.now() + retryDelay(0, 0.5) });
  await clock.advance(retryDelay(0, 0.5));
  expect(streams).toHaveLength(2);
  newest().fail(lost);
  await settle();
  expect(retryDelay(1, 0.5)).toBeGreaterThan(retryDelay(0, 0.5));
  await clock.advance(retryDelay(1, 0.5) - 1);
  expect(streams).toHaveLength(2);
  await clock.advance(1);
  expect(streams).toHaveLength(3);
});

test("takes silence for death", async () => {
  newest().send("a");
  await settle();
  await clock.advance(silenceMs - 1);
  newest().send("b");
  await settle();
  await clock.advance(silenceMs - 1);
  expect(streams).toHaveLength(1);
  await clock.advance(1);
  expect(streams[0]?.signal.aborted).toBe(true);
  expect(statuses.at(-1)?.kind).toBe("stale");
  await clock.advance(15_000);
  expect(streams).toHaveLength(2);
});

test("a stream that worked and was ended is opened again at once, without alarm", async () => {
  newest().send("a");
  await settle();
  await clock.advance(11_000);
  newest().send("b");
  await settle();
  newest().end();
  await settle();
  expect(streams).toHaveLength(2);
  expect(statuses).toEqual([{ kind: "live" }]);
});

test("a stream that always ends at once is not asked for in a hurry", async () => {
  newest().end();
  await settle();
  expect(streams).toHaveLength(1);
  expect(statuses.at(-1)?.kind).toBe("stale");
});

test("gives up when signed out", async () => {
  newest().fail(new ConnectError("session ended", Code.Unauthenticated));
  await done;
  expect(statuses.at(-1)).toEqual({ kind: "signed-out" });
});

test("gives up, with the reason, when asking is of no use", async () => {
  newest().fail(new ConnectError("no environment x", Code.NotFound));
  await done;
  expect(statuses.at(-1)).toMatchObject({
    kind: "refused",
    error: { message: "No environment x." },
  });
});

test("says offline, and comes back with the network", async () => {
  surroundings.set({ online: false });
  newest().fail(lost);
  await settle();
  expect(statuses.at(-1)).toEqual({ kind: "offline" });
  surroundings.set({ online: true });
  await settle();
  expect(streams).toHaveLength(2);
});

test("lets go of the connection when nobody looks, and takes it up again", async () => {
  newest().send("a");
  await settle();
  surroundings.set({ visible: false });
  await settle();
  // The stream is alive meanwhile; only the hiding ends it.
  await clock.advance(hiddenMs / 2);
  newest().send("b");
  await settle();
  await clock.advance(hiddenMs / 2);
  expect(streams[0]?.signal.aborted).toBe(true);
  expect(statuses.at(-1)).toEqual({ kind: "stale", retryAt: undefined });
  await clock.advance(600_000);
  expect(streams).toHaveLength(1);
  surroundings.set({ visible: true });
  await settle();
  expect(streams).toHaveLength(2);
});

test("a glance away changes nothing", async () => {
  newest().send("a");
  await settle();
  surroundings.set({ visible: false });
  await settle();
  await clock.advance(hiddenMs / 2);
  newest().send("b");
  await settle();
  surroundings.set({ visible: true });
  await settle();
  await clock.advance(hiddenMs / 2);
  expect(streams).toHaveLength(1);
});

test.each([
  [0, 0, 500],
  [0, 1, 500],
  [3, 1, 4_000],
  [10, 1, 15_000],
  [1_000, 1, 15_000],
])("after %i failures and a dice of %f it waits %i ms", (failures, random, expected) => {
  expect(retryDelay(failures, random)).toBe(expected);
});
