import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { MemberSchema, TeamSchema } from "#gen/vectorflow/v1/team_pb.ts";
import type { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { callScope } from "../rpc/call-scope.ts";
import { decodePageToken, isNamePlace, isText, pageOf, pageSize } from "../rpc/page-token.ts";
import { roleFromProto, roleToProto } from "../rpc/role-proto.ts";
import { optionalTime } from "../rpc/time-proto.ts";
import { addMember, listMembers, removeMember, updateMember, type MemberView } from "./members.ts";
import { createTeam, deleteTeam, listTeams, updateTeam, type TeamView } from "./teams.ts";

/** Teams and who is in them. */
export function teamRpc(deps: ServerDeps): ServiceImpl<typeof TeamService> {
  return {
    async listTeams(request, ctx) {
      const size = pageSize(request.pageSize, 500, 500);
      const after = decodePageToken(request.pageToken, isNamePlace);
      const rows = await listTeams(callScope(deps, ctx), { after, limit: size + 1 });
      const { page, nextPageToken } = pageOf(rows, size, ({ name, id }) => ({ name, id }));
      return { teams: page.map(teamToProto), nextPageToken };
    },
    async createTeam(request, ctx) {
      return { team: teamToProto(await createTeam(callScope(deps, ctx), request)) };
    },
    async updateTeam(request, ctx) {
      return { team: teamToProto(await updateTeam(callScope(deps, ctx), request)) };
    },
    async deleteTeam({ id }, ctx) {
      await deleteTeam(callScope(deps, ctx), id);
      return {};
    },
    async listMembers(request, ctx) {
      const size = pageSize(request.pageSize, 500, 500);
      const after = decodePageToken(request.pageToken, isText);
      const scope = callScope(deps, ctx);
      const rows = await listMembers(scope, request.teamId, { after, limit: size + 1 });
      const { page, nextPageToken } = pageOf(rows, size, ({ email }) => email);
      return { members: page.map(memberToProto), nextPageToken };
    },
    async addMember({ teamId, email, role }, ctx) {
      const input = { teamId, email, role: roleFromProto(role, "role") };
      return { member: memberToProto(await addMember(callScope(deps, ctx), input)) };
    },
    async updateMember({ teamId, userId, role }, ctx) {
      const input = { teamId, userId, role: roleFromProto(role, "role") };
      return { member: memberToProto(await updateMember(callScope(deps, ctx), input)) };
    },
    async removeMember({ teamId, userId }, ctx) {
      await removeMember(callScope(deps, ctx), { teamId, userId });
      return {};
    },
  };
}

function teamToProto(team: TeamView): MessageInitShape<typeof TeamSchema> {
  const { id, name, memberCount, environmentCount, requireSecondFactor } = team;
  return {
    id,
    name,
    role: roleToProto(team.role),
    memberCount,
    environmentCount,
    requireSecondFactor,
    ...optionalTime("createTime", team.createdAt),
  };
}

function memberToProto(member: MemberView): MessageInitShape<typeof MemberSchema> {
  return {
    userId: member.userId,
    email: member.email,
    name: member.name ?? "",
    role: roleToProto(member.role),
    locked: member.locked,
    secondFactor: member.secondFactor,
    ...optionalTime("createTime", member.createdAt),
  };
}
