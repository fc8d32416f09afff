import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { EnvironmentSchema } from "#gen/vectorflow/v1/environment_pb.ts";
import type { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { callScope } from "../rpc/call-scope.ts";
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
    async listEnvironments(_request, ctx) {
      const environments = await listEnvironments(callScope(deps, ctx));
      return { environments: environments.map(toProto) };
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
    async confirmRestoredState(request, ctx) {
      const scope = callScope(deps, ctx);
      return { nodeCount: await confirmRestoredState(scope, request.environmentId) };
    },
  };
}

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
