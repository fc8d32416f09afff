import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HeartbeatSchema } from "#gen/vectorflow/agent/v1/heartbeat_pb.ts";
import type { HostFacts } from "#gen/vectorflow/agent/v1/host_pb.ts";
import type { LogSpool } from "../process/log-spool.ts";
import type { PipelineRunner } from "../process/runner.ts";
import type { HostMetrics } from "../telemetry/host-metrics.ts";
import type { Scraper } from "../telemetry/scraper.ts";
import { metricsToProto, stateToProto } from "./control-proto.ts";
import { isMeasured } from "./limits.ts";

interface Sources {
  readonly reconciler: { runners(): readonly PipelineRunner[] };
  readonly scraper: Scraper;
  readonly spool: LogSpool;
}

/** Everything that is known at this moment; what was counted since the last heartbeat is taken away. */
export function heartbeatToProto(
  { reconciler, scraper, spool }: Sources,
  beat: {
    readonly sequence: bigint;
    readonly intervalMs: number;
    readonly metrics: HostMetrics;
    /** Undefined when nothing of it has changed. */
    readonly host: HostFacts | undefined;
    readonly now: number;
  },
): MessageInitShape<typeof HeartbeatSchema> {
  const { sequence, intervalMs, metrics, host, now } = beat;
  return {
    sequence,
    intervalMs,
    hostMetrics: {
      ...metrics,
      coreRatios: [...metrics.coreRatios],
      load1: metrics.load[0] ?? 0,
      load5: metrics.load[1] ?? 0,
      load15: metrics.load[2] ?? 0,
      filesystems: [...metrics.filesystems],
      interfaces: [...metrics.interfaces],
    },
    ...(host === undefined ? {} : { host }),
    lostLogLines: BigInt(spool.takeLost()),
    pipelines: reconciler.runners().map((runner) => {
      const { process, effective } = runner;
      const deltas = process === undefined ? undefined : scraper.take(runner.id, process.epoch);
      return {
        pipelineId: runner.id,
        state: stateToProto(runner.state),
        effectiveHash: effective?.hash ?? "",
        effectiveVersion: effective?.version ?? 0,
        processEpoch: process?.epoch ?? "",
        uptimeSeconds: process === undefined ? 0 : (now - process.startedAt.getTime()) / 1000,
        restarts: runner.restarts,
        ...(deltas === undefined || !isMeasured(deltas.intervalMs)
          ? {}
          : { metrics: metricsToProto(deltas) }),
      };
    }),
  };
}
