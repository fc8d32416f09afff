import { type JSX } from "solid-js";

import { Role } from "#gen/vectorflow/v1/role_pb.ts";

import { Select } from "../ui/field.tsx";

/** A role in words. */
export function roleName(role: Role): string {
  switch (role) {
    case Role.VIEWER:
      return "Viewer";
    case Role.EDITOR:
      return "Editor";
    case Role.ADMIN:
      return "Admin";
    default:
      return "No role";
  }
}

const order = [Role.VIEWER, Role.EDITOR, Role.ADMIN] as const;

/** Chooses a role, up to the given one. */
export function RoleSelect(props: {
  label: string;
  value: Role;
  highest?: Role;
  onValue: (role: Role) => void;
}): JSX.Element {
  return (
    <Select
      label={props.label}
      value={String(props.value)}
      options={order
        .filter((role) => role <= (props.highest ?? Role.ADMIN))
        .map((role) => ({ value: String(role), label: roleName(role) }))}
      onValue={(value) =>
        props.onValue(order.find((role) => String(role) === value) ?? Role.VIEWER)
      }
    />
  );
}
