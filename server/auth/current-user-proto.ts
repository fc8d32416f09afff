import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CurrentUserSchema } from "#gen/vectorflow/v1/auth_pb.ts";
import { freshView } from "../db/transaction.ts";
import { notFound } from "../errors.ts";
import { roleToProto } from "../rpc/role-proto.ts";
import type { Scope } from "../scope.ts";
import type { Sealer } from "../crypto/sealer.ts";
import { membershipsOf } from "./memberships.ts";
import { backupCodesLeft } from "./second-factor.ts";
import { owesSecondFactor } from "./sessions.ts";
import { User } from "./user.entity.ts";

/** The person with this id, as they see themselves. */
export async function currentUser(
  scope: Scope,
  sealer: Sealer,
  id: string,
): Promise<MessageInitShape<typeof CurrentUserSchema>> {
  const em = freshView(scope);
  const user = await em.findOne(User, { id });
  if (user === null) throw notFound("user", id);
  const memberships = await membershipsOf(em, [id]);
  const [owes] = await em.execute<{ owes: boolean }[]>(
    `select ${owesSecondFactor} as owes from "User" u where u."id" = ?`,
    [id],
  );
  return {
    id,
    email: user.email,
    name: user.name ?? "",
    superAdmin: user.isSuperAdmin,
    mustChangePassword: user.mustChangePassword,
    hasPassword: user.passwordHash != null,
    secondFactor: user.totpEnabled,
    mustSetUpSecondFactor: owes?.owes === true,
    backupCodesLeft: user.totpEnabled ? backupCodesLeft(sealer, user) : 0,
    memberships: memberships.map(({ teamId, teamName, role }) => ({
      teamId,
      teamName,
      role: roleToProto(role),
    })),
  };
}
