import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { AuditEntrySchema, AuditFilter } from "#gen/vectorflow/v1/audit_pb.ts";
import { ExportFormat, type AuditService } from "#gen/vectorflow/v1/audit_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { callScope } from "../rpc/call-scope.ts";
import { decodePageToken, encodePageToken, pageSize } from "../rpc/page-token.ts";
import { streamSignal } from "../rpc/stream-signal.ts";
import { optionalTime } from "../rpc/time-proto.ts";
import { csvHeader, toCsv, toJsonLine } from "./export.ts";
import { readAudit, type AuditQuery, type AuditRow } from "./query.ts";

const exportPageRows = 1000;

/** Reading the audit. */
export function auditRpc(deps: ServerDeps): ServiceImpl<typeof AuditService> {
  return {
    async listAuditEntries(request, ctx) {
      const limit = pageSize(request.pageSize, 50, 200);
      const after = decodePageToken(request.pageToken, isSequence);
      const scope = callScope(deps, ctx);
      const query = queryOf(request.filter);
      const rows = await readAudit(scope, query, { after, limit: limit + 1, order: "newest" });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        entries: page.map(toProto),
        nextPageToken:
          rows.length > limit && last !== undefined ? encodePageToken(last.sequence) : "",
      };
    },
    async *exportAuditEntries(request, ctx) {
      using stream = streamSignal(deps, ctx);
      const csv = request.format !== ExportFormat.JSON_LINES;
      const encoder = new TextEncoder();
      // Sent at once, so that the client has the headers.
      yield { chunk: encoder.encode(csv ? csvHeader : "") };
      const query = queryOf(request.filter);
      let after: number | undefined;
      while (!stream.signal.aborted) {
        const scope = callScope(deps, ctx);
        const rows = await readAudit(scope, query, {
          after,
          limit: exportPageRows,
          order: "oldest",
        });
        const last = rows.at(-1);
        if (last === undefined) break;
        yield { chunk: encoder.encode(rows.map(csv ? toCsv : toJsonLine).join("")) };
        if (rows.length < exportPageRows) break;
        after = last.sequence;
      }
      // A file that is cut off must not look like a whole one.
      stream.throwIfEnded();
    },
  };
}

const isSequence = (place: unknown): place is number => typeof place === "number";

function queryOf(filter: AuditFilter | undefined): AuditQuery {
  return {
    action: filter?.action.trim() ?? "",
    entityType: filter?.entityType.trim() ?? "",
    entityId: filter?.entityId.trim() ?? "",
    user: filter?.user.trim().slice(0, 200) ?? "",
    teamId: filter?.teamId ?? "",
    environmentId: filter?.environmentId ?? "",
    start: filter?.startTime === undefined ? undefined : timestampDate(filter.startTime),
    end: filter?.endTime === undefined ? undefined : timestampDate(filter.endTime),
    search: filter?.search.trim().slice(0, 200) ?? "",
  };
}

function toProto(row: AuditRow): MessageInitShape<typeof AuditEntrySchema> {
  const facts = Object.keys(row.metadata ?? {}).length > 0;
  return {
    id: row.id,
    sequence: BigInt(row.sequence),
    ...optionalTime("createTime", row.createdAt),
    action: row.action,
    entityType: row.entityType,
    entityId: row.entityId,
    userId: row.userId ?? "",
    userEmail: row.userEmail ?? "",
    userName: row.userName ?? "",
    ipAddress: row.ipAddress ?? "",
    teamId: row.teamId ?? "",
    environmentId: row.environmentId ?? "",
    changes: Object.entries(row.diff ?? {}).map(([field, change]) => ({
      field,
      beforeJson: JSON.stringify(change.before ?? null),
      afterJson: JSON.stringify(change.after ?? null),
    })),
    metadataJson: facts ? JSON.stringify(row.metadata) : "",
  };
}
