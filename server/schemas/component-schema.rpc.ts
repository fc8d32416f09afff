import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type {
  ComponentSchemaInfoSchema,
  ComponentSchemaService,
} from "#gen/vectorflow/v1/component_schema_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { callScope } from "../rpc/call-scope.ts";
import { optionalTime } from "../rpc/time-proto.ts";
import { listSchemas, readSchema, type SchemaInfo } from "./component-schemas.ts";

export function componentSchemaRpc(deps: ServerDeps): ServiceImpl<typeof ComponentSchemaService> {
  return {
    async listComponentSchemas(_request, ctx) {
      return { schemas: (await listSchemas(callScope(deps, ctx))).map(infoToProto) };
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
