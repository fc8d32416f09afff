import { create } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";

import { ApiTokenSchema, ApiTokenService } from "#gen/vectorflow/v1/api_token_service_pb.ts";
import type { AuditFilter } from "#gen/vectorflow/v1/audit_pb.ts";
import { AuditService } from "#gen/vectorflow/v1/audit_service_pb.ts";
import { ProfileService } from "#gen/vectorflow/v1/profile_service_pb.ts";
import type { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { MemberSchema, TeamSchema } from "#gen/vectorflow/v1/team_pb.ts";
import {
  SettingsService,
  type UpdateAuthenticationSettingsRequest,
} from "#gen/vectorflow/v1/settings_service_pb.ts";
import { TeamService, type UpdateTeamRequest } from "#gen/vectorflow/v1/team_service_pb.ts";
import { UserSchema } from "#gen/vectorflow/v1/user_pb.ts";
import { UserService } from "#gen/vectorflow/v1/user_service_pb.ts";

import { fakePage, type PageRequest } from "./fake-page.ts";
import { failure, type FakeWorld } from "./fake-world.ts";

/** The only code that the fake authenticator app ever shows. */
export const fakeCode = "123456";
export const temporaryPassword = "k7fq-w2mz-9xtd-h4pc";

/** Profile, accounts and teams over a fake world. */
export function fakeAccessRoutes(router: ConnectRouter, world: FakeWorld): void {
  router.service(ProfileService, profileService(world));
  router.service(UserService, userService(world));
  router.service(TeamService, teamService(world));
  router.service(AuditService, auditService(world));
  router.service(ApiTokenService, apiTokenService(world));
  router.service(SettingsService, settingsService(world));
}

function profileService(world: FakeWorld) {
  const { access } = world;
  return {
    updateProfile({ name }: { name: string }) {
      world.enter("updateProfile");
      world.user = { ...world.user, name };
      return { user: world.user };
    },
    changePassword(request: { currentPassword: string; newPassword: string }) {
      world.enter("changePassword");
      if (request.currentPassword !== world.password) {
        const message = "is not your current password";
        throw failure(Code.InvalidArgument, `current_password ${message}`, "password_wrong", [
          { field: "current_password", message },
        ]);
      }
      world.password = request.newPassword;
      world.user = { ...world.user, mustChangePassword: false };
      return { user: world.user, sessionToken: "token" };
    },
    beginSecondFactor() {
      world.enter("beginSecondFactor");
      const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
      return { secret, otpauthUri: `otpauth://totp/VectorFlow:anna?secret=${secret}` };
    },
    confirmSecondFactor({ code }: { code: string }) {
      world.enter("confirmSecondFactor");
      if (code !== fakeCode) {
        const message = "is wrong or was used already";
        throw failure(Code.InvalidArgument, `code ${message}`, "code_wrong", [
          { field: "code", message },
        ]);
      }
      world.user = {
        ...world.user,
        secondFactor: true,
        mustSetUpSecondFactor: false,
        backupCodesLeft: 10,
      };
      const backupCodes = Array.from({ length: 10 }, (_, index) => `abcd${index}-efgh${index}`);
      return { user: world.user, backupCodes };
    },
    createBackupCodes() {
      world.enter("createBackupCodes");
      return { backupCodes: ["fresh-codes"] };
    },
    disableSecondFactor() {
      world.enter("disableSecondFactor");
      world.user = { ...world.user, secondFactor: false };
      return { user: world.user };
    },
    listSessions(request: PageRequest) {
      world.enter("listSessions");
      return fakePage(world, request, access.sessions, (sessions) => ({ sessions }));
    },
    revokeSession({ id }: { id: string }) {
      world.enter("revokeSession");
      access.sessions = access.sessions.filter((session) => session.id !== id);
      return {};
    },
  };
}

function auditService(world: FakeWorld) {
  const { access } = world;
  const found = (filter: AuditFilter | undefined) =>
    access.auditEntries.filter(
      ({ action, userName }) =>
        action.startsWith(filter?.action ?? "") && userName.includes(filter?.user ?? ""),
    );
  return {
    listAuditEntries(request: { filter?: AuditFilter | undefined; pageToken: string }) {
      world.enter("listAuditEntries");
      const entries = found(request.filter);
      const start = Number(request.pageToken);
      const next = start + 50;
      return {
        entries: entries.slice(start, next),
        nextPageToken: next < entries.length ? String(next) : "",
      };
    },
    async *exportAuditEntries(request: { filter?: AuditFilter | undefined }) {
      world.enter("exportAuditEntries");
      for (const { action } of found(request.filter)) {
        yield { chunk: new TextEncoder().encode(`${action}\n`) };
      }
    },
  };
}

function settingsService(world: FakeWorld) {
  const { access } = world;
  return {
    getAuthenticationSettings() {
      world.enter("getAuthenticationSettings");
      return { settings: access.authentication };
    },
    updateAuthenticationSettings(request: UpdateAuthenticationSettingsRequest) {
      world.enter("updateAuthenticationSettings");
      if (request.settings?.enabled === true && request.settings.issuer === "") {
        throw failure(Code.InvalidArgument, "issuer is required", "invalid_request", [
          { field: "issuer", message: "is required" },
        ]);
      }
      if (request.clientSecret !== "") access.clientSecret = request.clientSecret;
      access.authentication = {
        ...access.authentication,
        ...request.settings,
        hasClientSecret: access.clientSecret !== "",
        redirectUri: access.authentication.redirectUri,
      };
      return { settings: access.authentication };
    },
    testIssuer({ issuer }: { issuer: string }) {
      world.enter("testIssuer");
      const works = issuer === "https://id.example.com";
      return { works, message: works ? "" : "this address does not answer as an OpenID provider" };
    },
  };
}

function apiTokenService(world: FakeWorld) {
  const { access } = world;
  return {
    listApiTokens(request: PageRequest) {
      world.enter("listApiTokens");
      return fakePage(world, request, access.apiTokens, (tokens) => ({ tokens }));
    },
    createApiToken(request: { name: string; role: Role; expireTime?: Timestamp | undefined }) {
      world.enter("createApiToken");
      const { name, role, expireTime } = request;
      const apiToken = create(ApiTokenSchema, {
        id: `token-${access.apiTokens.length + 1}`,
        name,
        role,
        hint: "vfa_k7fq",
        userEmail: world.user.email,
        ...(expireTime && { expireTime }),
      });
      access.apiTokens = [apiToken, ...access.apiTokens];
      return { apiToken, token: "vfa_k7fqw2mz9xtdh4pc" };
    },
    revokeApiToken({ id }: { id: string }) {
      world.enter("revokeApiToken");
      access.apiTokens = access.apiTokens.filter((token) => token.id !== id);
      return {};
    },
  };
}

function userService(world: FakeWorld) {
  const { access } = world;
  const userOf = (id: string) => {
    const user = access.users.find((candidate) => candidate.id === id);
    if (user === undefined)
      throw failure(Code.NotFound, `there is no user ${id}`, "user_not_found");
    return user;
  };
  return {
    listUsers(request: PageRequest & { search: string }) {
      world.enter("listUsers");
      const found = access.users.filter(({ email, name }) =>
        `${email} ${name}`.includes(request.search),
      );
      return fakePage(world, request, found, (users) => ({ users }));
    },
    createUser(request: { email: string; name: string; superAdmin: boolean }) {
      world.enter("createUser");
      if (access.users.some(({ email }) => email === request.email)) {
        const text = `there is already an account for ${request.email}`;
        throw failure(Code.AlreadyExists, text, "email_taken");
      }
      const { email, name, superAdmin } = request;
      const id = `user-${access.users.length + 1}`;
      const user = create(UserSchema, { id, email, name, superAdmin, mustChangePassword: true });
      access.users.push(user);
      return { user, temporaryPassword };
    },
    updateUser(request: {
      id: string;
      superAdmin?: boolean | undefined;
      locked?: boolean | undefined;
    }) {
      world.enter("updateUser");
      const user = userOf(request.id);
      if (request.superAdmin !== undefined) user.superAdmin = request.superAdmin;
      if (request.locked !== undefined) user.locked = request.locked;
      access.users = access.users.map((old) => (old === user ? { ...user } : old));
      return { user };
    },
    allowProviderLink({ id }: { id: string }) {
      world.enter("allowProviderLink");
      userOf(id).providerLinkAllowed = true;
      return {};
    },
    resetSecondFactor({ id }: { id: string }) {
      world.enter("resetSecondFactor");
      userOf(id).secondFactor = false;
      return {};
    },
    resetPassword({ id }: { id: string }) {
      world.enter("resetPassword");
      userOf(id);
      return { temporaryPassword };
    },
    deleteUser({ id }: { id: string }) {
      world.enter("deleteUser");
      access.users = access.users.filter((user) => user !== userOf(id));
      return {};
    },
  };
}

function teamService(world: FakeWorld) {
  const { access } = world;
  const membersOf = (teamId: string) => access.members.get(teamId) ?? [];
  return {
    listTeams(request: PageRequest) {
      world.enter("listTeams");
      return fakePage(world, request, access.teams, (teams) => ({ teams }));
    },
    createTeam({ name }: { name: string }) {
      world.enter("createTeam");
      const team = create(TeamSchema, { id: `team-${access.teams.length + 1}`, name, role: 3 });
      access.teams = [...access.teams, team];
      return { team };
    },
    updateTeam({ id, name, requireSecondFactor }: UpdateTeamRequest) {
      world.enter("updateTeam");
      access.teams = access.teams.map((team) => {
        if (team.id !== id) return team;
        return {
          ...team,
          name: name ?? team.name,
          requireSecondFactor: requireSecondFactor ?? team.requireSecondFactor,
        };
      });
      return { team: access.teams.find((team) => team.id === id) };
    },
    deleteTeam({ id }: { id: string }) {
      world.enter("deleteTeam");
      access.teams = access.teams.filter((team) => team.id !== id);
      return {};
    },
    listMembers(request: PageRequest & { teamId: string }) {
      world.enter("listMembers");
      return fakePage(world, request, membersOf(request.teamId), (members) => ({ members }));
    },
    addMember({ teamId, email, role }: { teamId: string; email: string; role: Role }) {
      world.enter("addMember");
      const user = access.users.find((candidate) => candidate.email === email);
      if (user === undefined) {
        const message = "belongs to no account: ask a super admin to create one";
        throw failure(Code.InvalidArgument, `${email} ${message}`, "user_not_found", [
          { field: "email", message },
        ]);
      }
      const member = create(MemberSchema, { userId: user.id, email, name: user.name, role });
      access.members.set(teamId, [...membersOf(teamId), member]);
      return { member };
    },
    updateMember({ teamId, userId, role }: { teamId: string; userId: string; role: Role }) {
      world.enter("updateMember");
      const members = membersOf(teamId).map((member) =>
        member.userId === userId ? { ...member, role } : member,
      );
      access.members.set(teamId, members);
      return { member: members.find((member) => member.userId === userId) };
    },
    removeMember({ teamId, userId }: { teamId: string; userId: string }) {
      world.enter("removeMember");
      access.members.set(
        teamId,
        membersOf(teamId).filter((member) => member.userId !== userId),
      );
      return {};
    },
  };
}
