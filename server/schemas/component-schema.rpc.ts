import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type {
  ComponentSchemaInfoSchema,
  ComponentSchemaService,
} from "#gen/vectorflow/v1/component_schema_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { callScope } from "../rpc/call-scope.ts";
import { decodePageToken, pageOf, pageSize } from "../rpc/page-token.ts";
import { optionalTime } from "../rpc/time-proto.ts";
import { isVersion, listSchemas, readSchema, type SchemaInfo } from "./component-schemas.ts";

export function componentSchemaRpc(deps: ServerDeps): ServiceImpl<typeof ComponentSchemaService> {
  return {
    async listComponentSchemas(request, ctx) {
      const size = pageSize(request.pageSize, 200, 200);
      const after = decodePageToken(request.pageToken, isVersion);
      const rows = await listSchemas(callScope(deps, ctx), after, size + 1);
      const { page, nextPageToken } = pageOf(rows, size, ({ vectorVersion }) => vectorVersion);
      return { schemas: page.map(infoToProto), nextPageToken };
    },
    async getComponentSchema(request, ctx) {
      const row = await readSchema(callScope(deps, ctx), request.vectorVersion.slice(0, 100));
      return { info: infoToProto(row), schemaGzip: new Uint8Array(row.schemaGzip) };
    },
  };
}

function infoToProto(info: SchemaInfo): MessageInitShape<typeof ComponentSchemaInfoSchema> {
  return {
    vectorVersion: info.vectorVersion,
    sizeBytes: info.sizeBytes,
    error: info.error ?? "",
    ...optionalTime("time", info.storedAt),
  };
}
