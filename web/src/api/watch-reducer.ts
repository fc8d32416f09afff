import type { PipelineLive, WatchResponse } from "#gen/vectorflow/v1/live_service_pb.ts";
import type { Node } from "#gen/vectorflow/v1/node_pb.ts";
import type { NodePipelineStatus } from "#gen/vectorflow/v1/pipeline_pb.ts";

/** The picture of one environment. Mutable, as Solid's stores want it; pages get it read-only. */
export interface LiveData {
  hosts: Record<string, Node>;
  pipelines: Record<string, PipelineLive>;
  /** By "<pipeline id>/<node id>", for the pipelines that are watched. */
  statuses: Record<string, NodePipelineStatus>;
  /** A whole snapshot has been seen: what is not here does not exist. */
  synced: boolean;
  /** Counts every applied message, for work over plain objects that must not track each field. */
  version: number;
  /** Counts changes to which hosts exist. */
  hostsVersion: number;
  /** What the running snapshot has named so far. */
  seen: Seen | undefined;
}

interface Seen {
  readonly hosts: Set<string>;
  readonly pipelines: Set<string>;
  readonly statuses: Set<string>;
}

export function emptyLiveData(): LiveData {
  return {
    hosts: {},
    pipelines: {},
    statuses: {},
    synced: false,
    version: 0,
    hostsVersion: 0,
    seen: undefined,
  };
}

/** A new stream starts. What is known stays on show until the snapshot is complete. */
export function beginSnapshot(draft: LiveData): void {
  draft.seen = { hosts: new Set(), pipelines: new Set(), statuses: new Set() };
}

export function statusKey(status: {
  readonly pipelineId: string;
  readonly nodeId: string;
}): string {
  return `${status.pipelineId}/${status.nodeId}`;
}

/** Applies one step. After `synced`, what the snapshot did not name is gone. */
export function applyWatchResponse(draft: LiveData, response: WatchResponse): void {
  draft.version++;
  for (const node of response.nodes) {
    if (!(node.id in draft.hosts)) draft.hostsVersion++;
    draft.hosts[node.id] = node;
    draft.seen?.hosts.add(node.id);
  }
  for (const pipeline of response.pipelines) {
    const id = pipeline.summary?.id;
    if (id === undefined) continue;
    draft.pipelines[id] = pipeline;
    draft.seen?.pipelines.add(id);
  }
  for (const status of response.statuses) {
    const key = statusKey(status);
    draft.statuses[key] = status;
    draft.seen?.statuses.add(key);
  }
  for (const id of response.removedNodeIds) removeHost(draft, id);
  for (const id of response.removedPipelineIds) delete draft.pipelines[id];
  for (const key of response.removedStatuses) delete draft.statuses[key];
  if (response.synced) endSnapshot(draft);
}

function endSnapshot(draft: LiveData): void {
  const seen = draft.seen;
  if (seen !== undefined) {
    for (const id of Object.keys(draft.hosts)) if (!seen.hosts.has(id)) removeHost(draft, id);
    for (const id of Object.keys(draft.pipelines)) {
      if (!seen.pipelines.has(id)) delete draft.pipelines[id];
    }
    for (const key of Object.keys(draft.statuses)) {
      if (!seen.statuses.has(key)) delete draft.statuses[key];
    }
  }
  draft.seen = undefined;
  draft.synced = true;
}

function removeHost(draft: LiveData, id: string): void {
  if (!(id in draft.hosts)) return;
  delete draft.hosts[id];
  draft.hostsVersion++;
}
