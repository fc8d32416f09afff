import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { ApiTokenSchema, ApiTokenService } from "#gen/vectorflow/v1/api_token_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { callScope } from "../rpc/call-scope.ts";
import { decodePageToken, isTimePlace, pageOf, pageSize } from "../rpc/page-token.ts";
import { roleFromProto, roleToProto } from "../rpc/role-proto.ts";
import { optionalTime } from "../rpc/time-proto.ts";
import { createApiToken, listApiTokens, revokeApiToken, type ApiTokenView } from "./api-tokens.ts";

/** Tokens for programs. */
export function apiTokenRpc(deps: ServerDeps): ServiceImpl<typeof ApiTokenService> {
  return {
    async listApiTokens(request, ctx) {
      const size = pageSize(request.pageSize, 500, 500);
      const before = decodePageToken(request.pageToken, isTimePlace);
      const scope = callScope(deps, ctx);
      const rows = await listApiTokens(scope, request.teamId, before, size + 1);
      const { page, nextPageToken } = pageOf(rows, size, ({ createdAt, id }) => [
        createdAt.getTime(),
        id,
      ]);
      return { tokens: page.map(toProto), nextPageToken };
    },
    async createApiToken({ teamId, name, role, expireTime }, ctx) {
      const { view, token } = await createApiToken(callScope(deps, ctx), {
        teamId,
        name,
        role: roleFromProto(role, "role"),
        expiresAt: expireTime === undefined ? undefined : timestampDate(expireTime),
      });
      return { apiToken: toProto(view), token };
    },
    async revokeApiToken({ teamId, id }, ctx) {
      await revokeApiToken(callScope(deps, ctx), teamId, id);
      return {};
    },
  };
}

function toProto(view: ApiTokenView): MessageInitShape<typeof ApiTokenSchema> {
  return {
    id: view.id,
    name: view.name,
    role: roleToProto(view.role),
    hint: view.hint,
    userId: view.userId,
    userEmail: view.userEmail,
    ...optionalTime("expireTime", view.expiresAt),
    ...optionalTime("lastUsedTime", view.lastUsedAt),
    ...optionalTime("createTime", view.createdAt),
  };
}
