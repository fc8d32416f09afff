import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { UserSchema } from "#gen/vectorflow/v1/user_pb.ts";
import type { UserService } from "#gen/vectorflow/v1/user_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { callScope } from "../rpc/call-scope.ts";
import { decodePageToken, encodePageToken, pageSize } from "../rpc/page-token.ts";
import { roleToProto } from "../rpc/role-proto.ts";
import { optionalTime } from "../rpc/time-proto.ts";
import {
  allowProviderLink,
  createUser,
  deleteUser,
  listUsers,
  resetPassword,
  updateUser,
  type UserView,
} from "./users.ts";
import { resetSecondFactor } from "./second-factor.ts";

/** Accounts, for super admins. */
export function userRpc(deps: ServerDeps): ServiceImpl<typeof UserService> {
  return {
    async listUsers(request, ctx) {
      const limit = pageSize(request.pageSize, 100, 200);
      const after = decodePageToken(request.pageToken, isEmail);
      const views = await listUsers(callScope(deps, ctx), request.search, after, limit + 1);
      const page = views.slice(0, limit);
      const last = page.at(-1);
      return {
        users: page.map(toProto),
        nextPageToken:
          views.length > limit && last !== undefined ? encodePageToken(last.user.email) : "",
      };
    },
    async createUser(request, ctx) {
      const { temporaryPassword, ...view } = await createUser(
        callScope(deps, ctx),
        deps.passwords,
        request,
      );
      return { user: toProto(view), temporaryPassword };
    },
    async updateUser(request, ctx) {
      return { user: toProto(await updateUser(callScope(deps, ctx), request)) };
    },
    async resetPassword({ id }, ctx) {
      return { temporaryPassword: await resetPassword(callScope(deps, ctx), deps.passwords, id) };
    },
    async resetSecondFactor({ id }, ctx) {
      await resetSecondFactor(callScope(deps, ctx), id);
      return {};
    },
    async allowProviderLink({ id }, ctx) {
      await allowProviderLink(callScope(deps, ctx), id);
      return {};
    },
    async deleteUser({ id }, ctx) {
      await deleteUser(callScope(deps, ctx), id);
      return {};
    },
  };
}

const isEmail = (place: unknown): place is string => typeof place === "string";

function toProto({ user, memberships }: UserView): MessageInitShape<typeof UserSchema> {
  return {
    id: user.id,
    email: user.email,
    name: user.name ?? "",
    superAdmin: user.isSuperAdmin,
    locked: user.lockedAt != null,
    ...optionalTime("lockedUntilTime", user.lockedUntil),
    mustChangePassword: user.mustChangePassword,
    providerLinkAllowed: user.oidcLinkAllowed,
    secondFactor: user.totpEnabled,
    hasPassword: user.passwordHash != null,
    ...optionalTime("lastSignInTime", user.lastSignInAt),
    ...optionalTime("createTime", user.createdAt),
    memberships: memberships.map(({ teamId, teamName, role }) => ({
      teamId,
      teamName,
      role: roleToProto(role),
    })),
  };
}
