import { create } from "@bufbuild/protobuf";

import type { ApiToken } from "#gen/vectorflow/v1/api_token_service_pb.ts";
import { AuditEntrySchema, type AuditEntry } from "#gen/vectorflow/v1/audit_pb.ts";
import { SessionSchema, type Session } from "#gen/vectorflow/v1/profile_service_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import {
  AuthenticationSettingsSchema,
  type AuthenticationSettings,
} from "#gen/vectorflow/v1/settings_service_pb.ts";
import { MemberSchema, TeamSchema, type Member, type Team } from "#gen/vectorflow/v1/team_pb.ts";
import { UserSchema, type User } from "#gen/vectorflow/v1/user_pb.ts";

import { toTimestamp } from "../lib/time.ts";

const hourMs = 3_600_000;

/** Accounts, teams and sessions of a fake world. */
export class FakeAccess {
  users: User[] = [
    create(UserSchema, {
      id: "user-1",
      email: "anna@example.net",
      name: "Anna Berg",
      superAdmin: true,
      hasPassword: true,
      lastSignInTime: toTimestamp(Date.now() - hourMs),
      memberships: [{ teamId: "team-1", teamName: "Platform", role: Role.ADMIN }],
    }),
    create(UserSchema, {
      id: "user-2",
      email: "jonas@example.net",
      name: "Jonas Lind",
      hasPassword: true,
      memberships: [{ teamId: "team-1", teamName: "Platform", role: Role.VIEWER }],
    }),
  ];
  teams: Team[] = [
    create(TeamSchema, {
      id: "team-1",
      name: "Platform",
      role: Role.ADMIN,
      memberCount: 2,
      environmentCount: 1,
    }),
    create(TeamSchema, { id: "team-2", name: "Security", role: Role.ADMIN }),
  ];
  members = new Map<string, Member[]>([
    [
      "team-1",
      [
        create(MemberSchema, {
          userId: "user-1",
          email: "anna@example.net",
          name: "Anna Berg",
          role: Role.ADMIN,
        }),
        create(MemberSchema, {
          userId: "user-2",
          email: "jonas@example.net",
          name: "Jonas Lind",
          role: Role.VIEWER,
        }),
      ],
    ],
  ]);
  apiTokens: ApiToken[] = [];
  clientSecret = "";
  authentication: AuthenticationSettings = create(AuthenticationSettingsSchema, {
    groupsClaim: "groups",
    defaultRole: Role.VIEWER,
    redirectUri: "https://vectorflow.example.net/auth/oidc/callback",
  });
  auditEntries: AuditEntry[] = Array.from({ length: 60 }, (_, index) =>
    create(AuditEntrySchema, {
      id: `audit-${index}`,
      sequence: BigInt(60 - index),
      createTime: toTimestamp(Date.now() - index * hourMs),
      action: index % 3 === 0 ? "pipeline.updated" : "auth.signed_in",
      entityType: index % 3 === 0 ? "Pipeline" : "User",
      entityId: index % 3 === 0 ? "pipe-1" : "user-1",
      userEmail: "anna@example.net",
      userName: "Anna Berg",
      ipAddress: "192.0.2.10",
      teamId: "team-1",
      changes:
        index % 3 === 0
          ? [{ field: "name", beforeJson: '"old"', afterJson: `"name ${index}"` }]
          : [],
      metadataJson: index % 3 === 0 ? "" : '{"device":"firefox"}',
    }),
  );
  sessions: Session[] = [
    create(SessionSchema, {
      id: "session-1",
      current: true,
      ipAddress: "192.0.2.10",
      userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
      createTime: toTimestamp(Date.now() - 5 * hourMs),
      lastUsedTime: toTimestamp(Date.now()),
    }),
    create(SessionSchema, {
      id: "session-2",
      ipAddress: "198.51.100.7",
      userAgent: "grpc-node-js/1.14.7",
      createTime: toTimestamp(Date.now() - 30 * hourMs),
      lastUsedTime: toTimestamp(Date.now() - 2 * hourMs),
    }),
  ];
}
