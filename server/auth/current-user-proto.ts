import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CurrentUserSchema } from "#gen/vectorflow/v1/auth_pb.ts";
import { notFound } from "../errors.ts";
import { roleToProto } from "../rpc/role-proto.ts";
import type { Scope } from "../scope.ts";
import { membershipsOf } from "./memberships.ts";
import { User } from "./user.entity.ts";

/** The person with this id, as they see themselves. */
export async function currentUser(
  scope: Scope,
  id: string,
): Promise<MessageInitShape<typeof CurrentUserSchema>> {
  const em = scope.em.fork();
  const user = await em.findOne(User, { id });
  if (user === null) throw notFound("user", id);
  const memberships = await membershipsOf(em, [id]);
  return {
    id,
    email: user.email,
    name: user.name ?? "",
    superAdmin: user.isSuperAdmin,
    mustChangePassword: user.mustChangePassword,
    hasPassword: user.passwordHash != null,
    memberships: memberships.map(({ teamId, teamName, role }) => ({
      teamId,
      teamName,
      role: roleToProto(role),
    })),
  };
}
