import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import type { Role as StoredRole } from "../db/enums.ts";
import { DomainError } from "../errors.ts";

const messages = { VIEWER: Role.VIEWER, EDITOR: Role.EDITOR, ADMIN: Role.ADMIN };

export function roleToProto(role: StoredRole): Role {
  return messages[role];
}

/** A role of a request. Throws `invalid` when there is none. */
export function roleFromProto(role: Role, field: string): StoredRole {
  switch (role) {
    case Role.VIEWER:
      return "VIEWER";
    case Role.EDITOR:
      return "EDITOR";
    case Role.ADMIN:
      return "ADMIN";
    default:
      throw new DomainError("invalid", "invalid_request", `${field} is required`, {
        violations: [{ field, message: "is required" }],
      });
  }
}
