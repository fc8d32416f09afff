import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { ProfileService } from "#gen/vectorflow/v1/profile_service_pb.ts";
import type { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";
import { UserService } from "#gen/vectorflow/v1/user_service_pb.ts";
import type { TestServer } from "./test-server.ts";

export interface TestPerson {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  /** A session of theirs. */
  readonly token: string;
}

/** An account with a password of its own that is signed in, in a team if one is given. */
export async function addPerson(
  test: TestServer,
  adminToken: string,
  email: string,
  options: {
    readonly superAdmin?: boolean;
    readonly team?: { readonly id: string; readonly role: Role };
  } = {},
): Promise<TestPerson> {
  const name = email.split("@", 1)[0] ?? "";
  const { user, temporaryPassword } = await test
    .client(UserService, adminToken)
    .createUser({ email, name, superAdmin: options.superAdmin ?? false });
  const id = user?.id ?? "";
  if (options.team !== undefined) {
    const { id: teamId, role } = options.team;
    await test.client(TeamService, adminToken).addMember({ teamId, email, role });
  }
  const { sessionToken } = await test
    .client(AuthService)
    .login({ email, password: temporaryPassword });
  const password = `the own password of ${email}`;
  const changed = await test
    .client(ProfileService, sessionToken)
    .changePassword({ currentPassword: temporaryPassword, newPassword: password });
  return { id, email, password, token: changed.sessionToken };
}
