import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { LogLevel, type LogLineSchema } from "#gen/vectorflow/v1/log_pb.ts";
import type { LogService } from "#gen/vectorflow/v1/log_service_pb.ts";
import type { LogLevel as StoredLevel } from "../db/enums.ts";
import type { ServerDeps } from "../deps.ts";
import { callScope } from "../rpc/call-scope.ts";
import { decodePageToken, encodePageToken, isTimePlace, pageSize } from "../rpc/page-token.ts";
import { streamSignal } from "../rpc/stream-signal.ts";
import { listLogs, tailLogs, type LogQuery, type LogView, type TailQuery } from "./logs.ts";

export function logRpc(deps: ServerDeps): ServiceImpl<typeof LogService> {
  const list = async (
    em: Parameters<typeof listLogs>[0],
    query: Omit<LogQuery, "before" | "limit">,
    request: { readonly pageSize: number; readonly pageToken: string },
    end: Date | undefined,
  ) => {
    const size = pageSize(request.pageSize, 200, 1000);
    const place = decodePageToken(request.pageToken, isTimePlace);
    const before =
      place === undefined
        ? end === undefined
          ? undefined
          : { at: end, id: "" }
        : { at: new Date(place[0]), id: place[1] };
    const { lines, next } = await listLogs(em, { ...query, before, limit: size });
    return {
      lines: lines.map(toProto),
      nextPageToken: next === undefined ? "" : encodePageToken([next.at.getTime(), next.id]),
    };
  };
  const tail = async function* (query: TailQuery, ctx: HandlerContext) {
    using life = streamSignal(deps, ctx);
    for await (const batch of tailLogs(() => deps.orm.em.fork(), deps.clock, query, life.signal)) {
      yield { lines: batch.lines.map(toProto), skippedLines: BigInt(batch.skipped) };
    }
    life.throwIfEnded();
  };
  return {
    async listPipelineLogs(request, ctx) {
      return list(
        callScope(deps, ctx).em,
        {
          pipelineId: request.pipelineId,
          search: request.search.slice(0, 200),
          minimumLevel: storedLevels[request.minimumLevel],
          ...(request.nodeId === "" ? {} : { nodeId: request.nodeId }),
        },
        request,
        request.endTime === undefined ? undefined : timestampDate(request.endTime),
      );
    },
    async listNodeLogs(request, ctx) {
      return list(
        callScope(deps, ctx).em,
        {
          nodeId: request.nodeId,
          search: request.search.slice(0, 200),
          minimumLevel: storedLevels[request.minimumLevel],
        },
        request,
        request.endTime === undefined ? undefined : timestampDate(request.endTime),
      );
    },
    tailPipelineLogs(request, ctx) {
      const { pipelineId, nodeId } = request;
      const minimumLevel = storedLevels[request.minimumLevel];
      return tail({ pipelineId, minimumLevel, ...(nodeId === "" ? {} : { nodeId }) }, ctx);
    },
    tailNodeLogs({ nodeId, minimumLevel }, ctx) {
      return tail({ nodeId, minimumLevel: storedLevels[minimumLevel] }, ctx);
    },
  };
}

const storedLevels: Partial<Record<LogLevel, StoredLevel>> = {
  [LogLevel.TRACE]: "TRACE",
  [LogLevel.DEBUG]: "DEBUG",
  [LogLevel.INFO]: "INFO",
  [LogLevel.WARN]: "WARN",
  [LogLevel.ERROR]: "ERROR",
};

function toProto(line: LogView): MessageInitShape<typeof LogLineSchema> {
  return {
    id: line.id,
    time: timestampFromDate(line.timestamp),
    level: LogLevel[line.level],
    nodeId: line.nodeId,
    nodeName: line.nodeName ?? "",
    pipelineId: line.pipelineId,
    componentKey: line.componentKey ?? "",
    text: line.message,
  };
}
