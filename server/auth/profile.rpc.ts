import type { ServiceImpl } from "@connectrpc/connect";
import type { ProfileService } from "#gen/vectorflow/v1/profile_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { callScope, callerKey } from "../rpc/call-scope.ts";
import { decodePageToken, isTimePlace, pageOf, pageSize } from "../rpc/page-token.ts";
import { sessionCookie } from "../rpc/session-cookie.ts";
import { optionalTime } from "../rpc/time-proto.ts";
import { currentUser } from "./current-user-proto.ts";
import { changePassword, listSessions, personOf, revokeSession, updateProfile } from "./profile.ts";
import {
  beginSecondFactor,
  confirmSecondFactor,
  createBackupCodes,
  disableSecondFactor,
} from "./second-factor.ts";

/** What people do with their own account. */
export function profileRpc(deps: ServerDeps): ServiceImpl<typeof ProfileService> {
  return {
    async updateProfile(request, ctx) {
      const scope = callScope(deps, ctx);
      await updateProfile(scope, request);
      return { user: await currentUser(scope, deps.sealer, personOf(scope).userId) };
    },
    async changePassword(request, ctx) {
      const scope = callScope(deps, ctx);
      const { token } = await changePassword(scope, deps, request);
      const { secure } = ctx.values.get(callerKey);
      ctx.responseHeader.set("set-cookie", sessionCookie(token, secure));
      return {
        user: await currentUser(scope, deps.sealer, personOf(scope).userId),
        sessionToken: token,
      };
    },
    async beginSecondFactor(request, ctx) {
      const scope = callScope(deps, ctx);
      const { secret, uri } = await beginSecondFactor(scope, deps, request.currentPassword);
      return { secret, otpauthUri: uri };
    },
    async confirmSecondFactor(request, ctx) {
      const scope = callScope(deps, ctx);
      const backupCodes = await confirmSecondFactor(scope, deps, request.code);
      return {
        user: await currentUser(scope, deps.sealer, personOf(scope).userId),
        backupCodes,
      };
    },
    async createBackupCodes(request, ctx) {
      return { backupCodes: await createBackupCodes(callScope(deps, ctx), deps, request.code) };
    },
    async disableSecondFactor(request, ctx) {
      const scope = callScope(deps, ctx);
      const { currentPassword: password, code } = request;
      await disableSecondFactor(scope, deps, { password, code });
      return { user: await currentUser(scope, deps.sealer, personOf(scope).userId) };
    },
    async listSessions(request, ctx) {
      const scope = callScope(deps, ctx);
      const { sessionId } = personOf(scope);
      const size = pageSize(request.pageSize, 100, 500);
      const before = decodePageToken(request.pageToken, isTimePlace);
      const rows = await listSessions(scope, before, size + 1);
      const { page, nextPageToken } = pageOf(rows, size, ({ lastUsedAt, id }) => [
        lastUsedAt.getTime(),
        id,
      ]);
      return {
        nextPageToken,
        sessions: page.map((session) => ({
          id: session.id,
          current: session.id === sessionId,
          ipAddress: session.ipAddress ?? "",
          userAgent: session.userAgent ?? "",
          ...optionalTime("createTime", session.createdAt),
          ...optionalTime("lastUsedTime", session.lastUsedAt),
        })),
      };
    },
    async revokeSession({ id }, ctx) {
      await revokeSession(callScope(deps, ctx), id);
      return {};
    },
  };
}
