import type { Message, MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  Topic,
  type LiveService,
  type PipelineLiveSchema,
  type WatchResponseSchema,
} from "#gen/vectorflow/v1/live_service_pb.ts";
import { ProcessState } from "#gen/vectorflow/v1/pipeline_pb.ts";
import type { ChangeTopic } from "../db/changes.ts";
import type { ServerDeps } from "../deps.ts";
import { nodeToProto } from "../fleet/node-proto.ts";
import { kindToProto, statusToProto, summaryToProto } from "../pipelines/pipeline-proto.ts";
import { streamSignal } from "../rpc/stream-signal.ts";
import type { LivePipeline } from "./live-pipelines.ts";
import type { EnvironmentView } from "./live-views.ts";

type Response = Exclude<MessageInitShape<typeof WatchResponseSchema>, Message>;

const quietMs = 10_000;
const snapshotRows = 500;

export function liveRpc(deps: ServerDeps): ServiceImpl<typeof LiveService> {
  return {
    async *watch(request, ctx): AsyncGenerator<Response> {
      using life = streamSignal(deps, ctx);
      const wanted = new Set(request.pipelineIds.slice(0, 20));
      let dirty = Promise.withResolvers<void>();
      const view = await deps.live.watch(
        request.environmentId,
        wanted,
        () => dirty.resolve(),
        life.signal,
      );
      const differ = new ViewDiffer(wanted);
      const now = (): Response => ({ serverTime: timestampFromDate(deps.clock.now()) });
      deps.metrics.watchers.inc();
      try {
        for (const part of differ.snapshot(view)) yield { ...now(), snapshot: true, ...part };
        let lastSent = deps.clock.now().getTime();
        while (!life.signal.aborted) {
          const pause = new AbortController();
          const quiet = deps.clock.sleep(
            Math.max(0, lastSent + quietMs - deps.clock.now().getTime()),
            AbortSignal.any([life.signal, pause.signal]),
          );
          await Promise.race([dirty.promise, quiet.catch(() => {})]);
          pause.abort();
          dirty = Promise.withResolvers<void>();
          if (life.signal.aborted) break;
          const change = differ.difference(view);
          if (change === undefined && deps.clock.now().getTime() - lastSent < quietMs) continue;
          lastSent = deps.clock.now().getTime();
          yield { ...now(), ...change };
        }
        life.throwIfEnded();
      } finally {
        deps.metrics.watchers.dec();
      }
    },
  };
}

const topics = {
  environment: Topic.ENVIRONMENT,
  pipelines: Topic.PIPELINES,
  versions: Topic.VERSIONS,
} satisfies Record<ChangeTopic, Topic>;

/**
 * What one client has been sent. It compares by the identity of rows for nodes, which are replaced when they
 * change, and by content for the others; so a slow client gets the newest of each and never a queue.
 */
class ViewDiffer {
  readonly #wanted: ReadonlySet<string>;
  readonly #nodes = new Map<string, unknown>();
  readonly #pipelines = new Map<string, string>();
  readonly #statuses = new Map<string, string>();
  readonly #topics = new Map<ChangeTopic, number>();

  constructor(wanted: ReadonlySet<string>) {
    this.#wanted = wanted;
  }

  /** The whole picture in parts, of which the last says that it is complete. */
  *snapshot(view: EnvironmentView): Generator<Response> {
    for (const [topic, count] of view.topics) this.#topics.set(topic, count);
    const all = this.difference(view) ?? {};
    const nodes = all.nodes ?? [];
    for (let from = 0; from < nodes.length; from += snapshotRows) {
      yield { nodes: nodes.slice(from, from + snapshotRows) };
    }
    yield { ...all, nodes: [], synced: true };
  }

  /** What changed since the last call, or undefined. */
  difference(view: EnvironmentView): Response | undefined {
    const nodes: NonNullable<Response["nodes"]> = [];
    for (const [id, node] of view.nodes) {
      const stamp = `${node.changedAt.getTime()}/${node.pipelinesRunning}/${node.pipelinesTotal}`;
      if (this.#nodes.get(id) === stamp) continue;
      this.#nodes.set(id, stamp);
      nodes.push(nodeToProto(node));
    }
    const pipelines = [];
    for (const [id, pipeline] of view.pipelines) {
      const components = this.#wanted.has(id) ? (view.components.get(id) ?? []) : [];
      const content = JSON.stringify([pipeline, components]);
      if (this.#pipelines.get(id) === content) continue;
      this.#pipelines.set(id, content);
      pipelines.push({
        ...liveToProto(pipeline),
        components: components.map((rate) => ({ ...rate, kind: kindToProto[rate.kind] })),
      });
    }
    const statuses = [];
    for (const [key, status] of view.statuses) {
      if (!this.#wanted.has(status.pipelineId)) continue;
      const content = JSON.stringify(status);
      if (this.#statuses.get(key) === content) continue;
      this.#statuses.set(key, content);
      statuses.push(statusToProto(status));
    }
    const changedTopics: Topic[] = [];
    for (const [topic, count] of view.topics) {
      if (this.#topics.get(topic) === count) continue;
      this.#topics.set(topic, count);
      changedTopics.push(topics[topic]);
    }
    const removedNodeIds = gone(this.#nodes, view.nodes);
    const removedPipelineIds = gone(this.#pipelines, view.pipelines);
    const removedStatuses = gone(this.#statuses, view.statuses);
    const lists = [nodes, pipelines, statuses, changedTopics, removedNodeIds, removedPipelineIds];
    if ([...lists, removedStatuses].every((list) => list.length === 0)) return undefined;
    return {
      nodes,
      pipelines,
      statuses,
      changedTopics,
      removedNodeIds,
      removedPipelineIds,
      removedStatuses,
    };
  }
}

function gone(sent: Map<string, unknown>, present: ReadonlyMap<string, unknown>): string[] {
  const missing = [...sent.keys()].filter((key) => !present.has(key));
  for (const key of missing) sent.delete(key);
  return missing;
}

function liveToProto(
  row: LivePipeline,
): Exclude<MessageInitShape<typeof PipelineLiveSchema>, Message> {
  return {
    summary: summaryToProto(row),
    nodesDesired: row.nodesDesired,
    nodesRunning: row.nodesRunning,
    nodesFailed: row.nodesFailed,
    nodesCurrent: row.nodesCurrent,
    simulated: row.simulated,
    worstState: worstState(row),
    ...(row.measuredAt === null
      ? {}
      : {
          rates: {
            eventsIn: row.eventsIn ?? 0,
            eventsOut: row.eventsOut ?? 0,
            bytesIn: row.bytesIn ?? 0,
            bytesOut: row.bytesOut ?? 0,
            errors: row.errors ?? 0,
            discarded: row.discarded ?? 0,
            time: timestampFromDate(new Date(row.measuredAt)),
          },
        }),
  };
}

function worstState(row: LivePipeline): ProcessState {
  if (row.crashed > 0) return ProcessState.CRASHED;
  if (row.notDelivering > 0) return ProcessState.NOT_DELIVERING;
  if (row.held > 0) return ProcessState.HELD;
  if (row.starting > 0) return ProcessState.STARTING;
  if (row.pending > 0) return ProcessState.PENDING;
  if (row.nodesRunning > 0) return ProcessState.RUNNING;
  return row.nodesDesired > 0 ? ProcessState.PENDING : ProcessState.STOPPED;
}
