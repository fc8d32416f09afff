import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { EnrollmentRefusal, type EnvironmentSchema } from "#gen/vectorflow/v1/environment_pb.ts";
import type { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { listRefusedEnrollments } from "../fleet/refused-enrollments.ts";
import { callScope } from "../rpc/call-scope.ts";
import {
  decodePageToken,
  encodePageToken,
  isNamePlace,
  isTimePlace,
  pageSize,
} from "../rpc/page-token.ts";
import { optionalTime } from "../rpc/time-proto.ts";
import { enrollCommand } from "./enroll-command.ts";
import {
  confirmRestoredState,
  createEnrollmentToken,
  createEnvironment,
  getEnvironment,
  listEnvironments,
  type EnvironmentView,
} from "./environments.ts";

export function environmentRpc(deps: ServerDeps): ServiceImpl<typeof EnvironmentService> {
  return {
    async listEnvironments(request, ctx) {
      const size = pageSize(request.pageSize, 500, 500);
      const after = decodePageToken(request.pageToken, isNamePlace);
      const rows = await listEnvironments(callScope(deps, ctx), after, size + 1);
      const page = rows.slice(0, size);
      const last = page.at(-1);
      return {
        environments: page.map(toProto),
        nextPageToken:
          rows.length > size && last !== undefined
            ? encodePageToken({ name: last.name.toLowerCase(), id: last.id })
            : "",
      };
    },
    async getEnvironment(request, ctx) {
      return { environment: toProto(await getEnvironment(callScope(deps, ctx), request.id)) };
    },
    async createEnvironment(request, ctx) {
      return { environment: toProto(await createEnvironment(callScope(deps, ctx), request)) };
    },
    async createEnrollmentToken(request, ctx) {
      const token = await createEnrollmentToken(callScope(deps, ctx), request.environmentId);
      const agentUrl = deps.addresses().agents;
      return { token, agentUrl, enrollCommand: enrollCommand(agentUrl, token) };
    },
    async listRefusedEnrollments(request, ctx) {
      const size = pageSize(request.pageSize, 20, 100);
      const before = decodePageToken(request.pageToken, isTimePlace);
      const { environmentId } = request;
      const scope = callScope(deps, ctx);
      const rows = await listRefusedEnrollments(scope, environmentId, before, size + 1);
      const page = rows.slice(0, size);
      const last = page.at(-1);
      return {
        refusals: page.map((row) => ({
          ...row,
          time: timestampFromDate(row.at),
          reason: refusalReasons[row.reason] ?? EnrollmentRefusal.UNSPECIFIED,
        })),
        nextPageToken:
          rows.length > size && last !== undefined
            ? encodePageToken([last.at.getTime(), last.id])
            : "",
      };
    },
    async confirmRestoredState(request, ctx) {
      const scope = callScope(deps, ctx);
      return { nodeCount: await confirmRestoredState(scope, request.environmentId) };
    },
  };
}

const refusalReasons: Readonly<Record<string, EnrollmentRefusal>> = {
  token_unknown: EnrollmentRefusal.TOKEN_UNKNOWN,
  token_replaced: EnrollmentRefusal.TOKEN_REPLACED,
};

const roles = { VIEWER: Role.VIEWER, EDITOR: Role.EDITOR, ADMIN: Role.ADMIN };

function toProto(view: EnvironmentView): MessageInitShape<typeof EnvironmentSchema> {
  return {
    id: view.id,
    name: view.name,
    teamId: view.teamId,
    teamName: view.teamName,
    role: roles[view.role],
    enrollmentTokenHint: view.enrollmentTokenHint ?? "",
    ...optionalTime("createTime", view.createdAt),
    nodeCount: view.nodeCount,
    pipelineCount: view.pipelineCount,
    fencedNodeCount: view.fencedNodeCount,
  };
}
