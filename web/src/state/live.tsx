import {
  createContext,
  createEffect,
  createMemo,
  createSignal,
  on,
  onCleanup,
  untrack,
  type Accessor,
  type JSX,
} from "solid-js";
import type { Store } from "solid-js/store";

import type { PipelineLive } from "#gen/vectorflow/v1/live_service_pb.ts";
import type { Node } from "#gen/vectorflow/v1/node_pb.ts";
import type { NodePipelineStatus } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { openLive, type Live } from "../api/live.ts";
import type { StreamStatus } from "../api/stream-supervisor.ts";
import type { LiveData } from "../api/watch-reducer.ts";
import { invalidateTopics, useApi } from "./api.tsx";
import { createRateHistory, type RateHistory } from "./rate-history.ts";
import { requireContext } from "./required-context.ts";

/** The live picture of the current environment, for pages. */
export interface LiveView {
  readonly data: Store<LiveData>;
  readonly status: Accessor<StreamStatus>;
  /** Numbers on show may be out of date. */
  readonly stale: Accessor<boolean>;
  /** The server's time in milliseconds; ticks once a second. */
  readonly now: Accessor<number>;
  readonly host: (id: string) => Node | undefined;
  readonly pipeline: (id: string) => PipelineLive | undefined;
  /** Keeps the details of a pipeline coming while the owner lives. */
  readonly watchPipeline: (id: Accessor<string>) => void;
  /** The state of a watched pipeline on every host, by host name. */
  readonly statusesOf: (id: string) => readonly NodePipelineStatus[];
  readonly rateHistory: RateHistory;
}

const LiveContext = createContext<LiveView>();

export function useLive(): LiveView {
  return requireContext(LiveContext, "LiveProvider");
}

/** Holds the tab's one stream. Remount it (keyed) to change the environment. */
export function LiveProvider(props: {
  environmentId: string;
  onSignedOut: () => void;
  children: JSX.Element;
}): JSX.Element {
  const { clients, queryClient, clock, surroundings } = useApi();
  const live: Live = openLive(
    untrack(() => props.environmentId),
    {
      clock,
      surroundings,
      random: Math.random,
      schedule: scheduleFrame,
      watch: (request, signal) => clients.live.watch(request, { signal, timeoutMs: 0 }),
      onChanged: (topics) => invalidateTopics(queryClient, topics),
      onResynced: () => void queryClient.invalidateQueries(),
      onSignedOut: () => props.onSignedOut(),
    },
  );
  onCleanup(() => live.close());

  const [tick, setTick] = createSignal(clock.now());
  const timer = setInterval(() => setTick(clock.now()), 1_000);
  onCleanup(() => clearInterval(timer));

  const byPipeline = createMemo(() => groupStatuses(live.data.statuses));

  const view: LiveView = {
    data: live.data,
    status: live.status,
    stale: () => live.data.synced && live.status().kind !== "live",
    now: () => tick() + live.clockOffsetMs(),
    host: (id) => live.data.hosts[id],
    pipeline: (id) => live.data.pipelines[id],
    watchPipeline(id) {
      createEffect(on(id, (id) => onCleanup(live.watchPipeline(id))));
    },
    statusesOf: (id) => byPipeline().get(id) ?? [],
    rateHistory: createRateHistory(live.data, () => live.status().kind === "live"),
  };
  return <LiveContext.Provider value={view}>{props.children}</LiveContext.Provider>;
}

function groupStatuses(
  statuses: Record<string, NodePipelineStatus>,
): Map<string, readonly NodePipelineStatus[]> {
  const groups = Map.groupBy(Object.values(statuses), ({ pipelineId }) => pipelineId);
  for (const group of groups.values()) {
    group.sort((a, b) => a.nodeName.localeCompare(b.nodeName, "en", { numeric: true }));
  }
  return groups;
}

/** Frames do not come to a hidden window; there a slow timer does. */
function scheduleFrame(callback: () => void): void {
  if (document.visibilityState === "visible") requestAnimationFrame(callback);
  else setTimeout(callback, 1_000);
}
