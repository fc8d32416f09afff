import { timestampDate, timestampFromDate, type Timestamp } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { MetricService } from "#gen/vectorflow/v1/metric_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { callScope } from "../rpc/call-scope.ts";
import { pageSize } from "../rpc/page-token.ts";
import { chooseAxis, queryNodeMetrics, queryPipelineMetrics, type Axis } from "./query.ts";

const defaultRangeMs = 3_600_000;

export function metricRpc(deps: ServerDeps): ServiceImpl<typeof MetricService> {
  /** Without times: the last hour. */
  const axisOf = (request: {
    readonly startTime?: Timestamp | undefined;
    readonly endTime?: Timestamp | undefined;
    readonly maxPoints: number;
  }): Axis => {
    const end = request.endTime === undefined ? deps.clock.now() : timestampDate(request.endTime);
    const start =
      request.startTime === undefined
        ? new Date(end.getTime() - defaultRangeMs)
        : timestampDate(request.startTime);
    return chooseAxis(start, end, pageSize(request.maxPoints, 300, 1500));
  };
  return {
    async queryNodeMetrics(request, ctx) {
      const axis = axisOf(request);
      const { em } = callScope(deps, ctx);
      return { axis: toProto(axis), series: await queryNodeMetrics(em, request.nodeId, axis) };
    },
    async queryPipelineMetrics(request, ctx) {
      const axis = axisOf(request);
      const { em } = callScope(deps, ctx);
      return { axis: toProto(axis), series: await queryPipelineMetrics(em, request, axis) };
    },
  };
}

function toProto(axis: Axis) {
  return {
    startTime: timestampFromDate(axis.start),
    stepSeconds: axis.stepSeconds,
    pointCount: axis.points,
  };
}
