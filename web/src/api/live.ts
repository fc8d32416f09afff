import { createSignal, type Accessor } from "solid-js";
import { createStore, produce, type Store } from "solid-js/store";

import type { Topic, WatchRequest, WatchResponse } from "#gen/vectorflow/v1/live_service_pb.ts";

import type { Clock } from "../lib/clock.ts";
import { toDate } from "../lib/time.ts";
import { superviseStream, type StreamStatus, type Surroundings } from "./stream-supervisor.ts";
import {
  applyWatchResponse,
  beginSnapshot,
  emptyLiveData,
  type LiveData,
} from "./watch-reducer.ts";

/** Messages that may wait for a frame; a background tab that gets no frames must not pile them up. */
const maxQueued = 64;
/** How long a change of the wanted pipelines may gather others before the stream is opened anew. */
const regroupMs = 100;

export interface LiveDeps {
  readonly clock: Clock;
  readonly surroundings: Surroundings;
  readonly random: () => number;
  /** Calls back before the next paint, or soon when nothing is painted. */
  readonly schedule: (callback: () => void) => void;
  watch(
    request: Pick<WatchRequest, "environmentId" | "pipelineIds">,
    signal: AbortSignal,
  ): AsyncIterable<WatchResponse>;
  /** Things outside the stream changed, so that caches ask again. */
  onChanged(topics: readonly Topic[]): void;
  /** A connection was lost and a new snapshot is complete: caches may have missed changes. */
  onResynced(): void;
  onSignedOut(): void;
}

/** The live picture of one environment, kept by one stream. */
export interface Live {
  readonly environmentId: string;
  readonly data: Store<LiveData>;
  readonly status: Accessor<StreamStatus>;
  /** What to add to the browser's clock to get the server's. */
  readonly clockOffsetMs: Accessor<number>;
  /** Asks for the details of a pipeline until the returned function is called. */
  watchPipeline(id: string): () => void;
  close(): void;
}

export function openLive(environmentId: string, deps: LiveDeps): Live {
  const [data, setData] = createStore<LiveData>(emptyLiveData());
  const [status, setStatus] = createSignal<StreamStatus>({ kind: "connecting" });
  const [clockOffsetMs, setClockOffsetMs] = createSignal(0);
  const wanted = new Map<string, number>();
  const closed = new AbortController();
  let run: AbortController | undefined;
  let regrouping: AbortController | undefined;
  let queue: WatchResponse[] = [];
  let scheduled = false;
  let everSynced = false;
  let interrupted = false;

  const flush = (): void => {
    scheduled = false;
    const messages = queue;
    queue = [];
    if (messages.length === 0 || closed.signal.aborted) return;
    setData(
      produce((draft) => {
        for (const message of messages) applyWatchResponse(draft, message);
      }),
    );
  };

  const receive = (message: WatchResponse): void => {
    if (message.serverTime) {
      setClockOffsetMs(toDate(message.serverTime).getTime() - deps.clock.now());
    }
    queue.push(message);
    if (queue.length >= maxQueued) flush();
    else if (!scheduled) {
      scheduled = true;
      deps.schedule(flush);
    }
    if (message.changedTopics.length > 0) deps.onChanged(message.changedTopics);
    if (message.synced) {
      if (everSynced && interrupted) deps.onResynced();
      everSynced = true;
      interrupted = false;
    }
  };

  const start = (): void => {
    run?.abort(new Error("reopened"));
    const current = new AbortController();
    run = current;
    const unlessReplaced =
      <A extends readonly unknown[]>(action: (...args: A) => void) =>
      (...args: A): void => {
        if (!current.signal.aborted) action(...args);
      };
    void superviseStream<WatchResponse>(
      {
        clock: deps.clock,
        surroundings: deps.surroundings,
        random: deps.random,
        open: (signal) =>
          deps.watch({ environmentId, pipelineIds: [...wanted.keys()].toSorted() }, signal),
        onOpen: unlessReplaced(() => {
          flush();
          setData(produce(beginSnapshot));
        }),
        onMessage: unlessReplaced(receive),
        onStatus: unlessReplaced((next) => {
          if (next.kind !== "live") interrupted = true;
          setStatus(next);
          if (next.kind === "signed-out") deps.onSignedOut();
        }),
      },
      current.signal,
    );
  };

  const regroup = (): void => {
    regrouping?.abort(new Error("again"));
    const own = new AbortController();
    regrouping = own;
    deps.clock.sleep(regroupMs, own.signal).then(start, () => {});
  };

  start();

  return {
    environmentId,
    data,
    status,
    clockOffsetMs,
    watchPipeline(id) {
      const count = wanted.get(id) ?? 0;
      wanted.set(id, count + 1);
      if (count === 0) regroup();
      let released = false;
      return () => {
        if (released) return;
        released = true;
        const left = (wanted.get(id) ?? 1) - 1;
        // A pipeline that nobody wants any more costs little until the next change of the set.
        if (left === 0) wanted.delete(id);
        else wanted.set(id, left);
      };
    },
    close() {
      const reason = new Error("closed");
      closed.abort(reason);
      regrouping?.abort(reason);
      run?.abort(reason);
    },
  };
}
