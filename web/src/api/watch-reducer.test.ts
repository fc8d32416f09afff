import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createEffect, createRoot } from "solid-js";
import { createStore, produce } from "solid-js/store";
import { expect, test } from "vitest";

import { WatchResponseSchema, type WatchResponse } from "#gen/vectorflow/v1/live_service_pb.ts";

import { aHost, aPipelineLive, aStatus } from "../testing/builders.ts";
import {
  applyWatchResponse,
  beginSnapshot,
  emptyLiveData,
  type LiveData,
} from "./watch-reducer.ts";

function response(init: MessageInitShape<typeof WatchResponseSchema>): WatchResponse {
  return create(WatchResponseSchema, init);
}

function synced(init: MessageInitShape<typeof WatchResponseSchema>): LiveData {
  const data = emptyLiveData();
  beginSnapshot(data);
  applyWatchResponse(data, response({ ...init, snapshot: true, synced: true }));
  return data;
}

test("a snapshot in chunks is complete with its last one", () => {
  const data = emptyLiveData();
  beginSnapshot(data);
  applyWatchResponse(data, response({ snapshot: true, nodes: [aHost({ name: "a" })] }));
  expect(data.synced).toBe(false);
  applyWatchResponse(
    data,
    response({ snapshot: true, synced: true, nodes: [aHost({ name: "b" })] }),
  );
  expect(data.synced).toBe(true);
  expect(Object.keys(data.hosts)).toEqual(["a", "b"]);
});

test("what a new snapshot does not name is gone, but only when it is complete", () => {
  const data = synced({
    nodes: [aHost({ name: "a" }), aHost({ name: "b" })],
    pipelines: [aPipelineLive()],
    statuses: [aStatus()],
  });
  beginSnapshot(data);
  applyWatchResponse(data, response({ snapshot: true, nodes: [aHost({ name: "b" })] }));
  expect(Object.keys(data.hosts)).toEqual(["a", "b"]);
  applyWatchResponse(data, response({ synced: true }));
  expect(Object.keys(data.hosts)).toEqual(["b"]);
  expect(data.pipelines).toEqual({});
  expect(data.statuses).toEqual({});
});

test("a change that comes between chunks is not swept away", () => {
  const data = synced({});
  beginSnapshot(data);
  applyWatchResponse(data, response({ nodes: [aHost({ name: "new" })] }));
  applyWatchResponse(data, response({ snapshot: true, synced: true }));
  expect(Object.keys(data.hosts)).toEqual(["new"]);
});

test("a snapshot that broke off does not count for the next one", () => {
  const data = emptyLiveData();
  beginSnapshot(data);
  applyWatchResponse(data, response({ snapshot: true, nodes: [aHost({ name: "a" })] }));
  beginSnapshot(data);
  applyWatchResponse(data, response({ snapshot: true, synced: true }));
  expect(data.hosts).toEqual({});
});

test("removals take things away, and unknown ones do nothing", () => {
  const data = synced({
    nodes: [aHost({ name: "a" })],
    pipelines: [aPipelineLive()],
    statuses: [aStatus()],
  });
  const before = data.hostsVersion;
  applyWatchResponse(
    data,
    response({
      removedNodeIds: ["a", "ghost"],
      removedPipelineIds: ["pipe-1", "ghost"],
      removedStatuses: ["pipe-1/edge-01"],
    }),
  );
  expect([data.hosts, data.pipelines, data.statuses]).toEqual([{}, {}, {}]);
  expect(data.hostsVersion).toBe(before + 1);
});

test("a change of a host does not count as a change of which hosts exist", () => {
  const data = synced({ nodes: [aHost({ name: "a" })] });
  const before = data.hostsVersion;
  applyWatchResponse(data, response({ nodes: [aHost({ name: "a", maintenance: true })] }));
  expect(data.hostsVersion).toBe(before);
  expect(data.hosts["a"]?.maintenance).toBe(true);
});

// Messages of another protobuf edition have their own prototype, which Solid does not wrap; then
// nothing would be drawn again.
test("messages are reactive in a store", () => {
  createRoot((dispose) => {
    const [data, setData] = createStore(synced({ nodes: [aHost({ name: "a" })] }));
    const seen: (boolean | undefined)[] = [];
    createEffect(() => seen.push(data.hosts["a"]?.maintenance));
    queueMicrotask(() => {
      setData(
        produce((draft) => {
          const host = draft.hosts["a"];
          if (host) host.maintenance = true;
        }),
      );
      expect(seen).toEqual([false, true]);
      dispose();
    });
  });
});
