import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test } from "vitest";

import { Topic, WatchResponseSchema } from "#gen/vectorflow/v1/live_service_pb.ts";
import type { WatchResponse } from "#gen/vectorflow/v1/live_service_pb.ts";

import { toTimestamp } from "../lib/time.ts";
import { aHost } from "../testing/builders.ts";
import { FakeClock, settle } from "../testing/fake-clock.ts";
import { FakeStream } from "../testing/fake-stream.ts";
import { FakeSurroundings } from "../testing/fake-surroundings.ts";
import { openLive, type Live } from "./live.ts";

let clock: FakeClock;
let streams: FakeStream<WatchResponse>[];
let requests: (readonly string[])[];
let frames: (() => void)[];
let events: string[];
let live: Live;

beforeEach(async () => {
  clock = new FakeClock();
  streams = [];
  requests = [];
  frames = [];
  events = [];
  live = openLive("env-1", {
    clock,
    surroundings: new FakeSurroundings(),
    random: () => 0,
    schedule: (callback) => frames.push(callback),
    watch(request, signal) {
      requests.push(request.pipelineIds);
      const stream = new FakeStream<WatchResponse>(signal);
      streams.push(stream);
      return stream;
    },
    onChanged: (topics) => events.push(`changed ${topics.join()}`),
    onResynced: () => events.push("resynced"),
    onSignedOut: () => events.push("signed out"),
  });
  await settle();
});

afterEach(() => live.close());

async function send(init: MessageInitShape<typeof WatchResponseSchema>): Promise<void> {
  streams.at(-1)?.send(create(WatchResponseSchema, init));
  await settle();
}

function paint(): void {
  for (const frame of frames.splice(0)) frame();
}

test("applies what came once per frame", async () => {
  await send({ snapshot: true, nodes: [aHost({ name: "a" })] });
  await send({ snapshot: true, synced: true, nodes: [aHost({ name: "b" })] });
  expect(live.data.hosts).toEqual({});
  expect(frames).toHaveLength(1);
  paint();
  expect(Object.keys(live.data.hosts)).toEqual(["a", "b"]);
  expect(live.data.synced).toBe(true);
});

test("does not pile messages up when nothing is painted", async () => {
  for (let index = 0; index < 64; index++) {
    await send({ nodes: [aHost({ name: `host-${index}` })] });
  }
  expect(Object.keys(live.data.hosts)).toHaveLength(64);
});

test("follows the server's clock", async () => {
  await send({ serverTime: toTimestamp(clock.now() + 90_000) });
  expect(live.clockOffsetMs()).toBe(90_000);
});

test("opens the stream anew for a pipeline's details, once for several wishes", async () => {
  await send({ snapshot: true, synced: true, nodes: [aHost({ name: "a" })] });
  paint();
  live.watchPipeline("p2");
  live.watchPipeline("p1");
  live.watchPipeline("p1");
  await clock.advance(100);
  expect(requests).toEqual([[], ["p1", "p2"]]);
  expect(streams[0]?.signal.aborted).toBe(true);
  expect(live.status()).toEqual({ kind: "live" });
  expect(Object.keys(live.data.hosts)).toEqual(["a"]);
});

test("wants a pipeline no more when everybody has let go", async () => {
  const first = live.watchPipeline("p1");
  const second = live.watchPipeline("p1");
  first();
  first();
  live.watchPipeline("p2");
  await clock.advance(100);
  second();
  live.watchPipeline("p3");
  await clock.advance(100);
  expect(requests).toEqual([[], ["p1", "p2"], ["p2", "p3"]]);
});

test("tells caches what changed, and after an interruption that they may have missed something", async () => {
  await send({ snapshot: true, synced: true });
  await send({ changedTopics: [Topic.PIPELINES] });
  expect(events).toEqual([`changed ${Topic.PIPELINES}`]);
  streams[0]?.fail(new ConnectError("gone", Code.Unavailable));
  await settle();
  expect(live.status().kind).toBe("stale");
  await clock.advance(500);
  await send({ snapshot: true, synced: true });
  expect(events.at(-1)).toBe("resynced");
  expect(live.status()).toEqual({ kind: "live" });
});

test("says when the session is over", async () => {
  streams[0]?.fail(new ConnectError("sign in", Code.Unauthenticated));
  await settle();
  expect(events).toEqual(["signed out"]);
});
