import { Index, type JSX } from "solid-js";

import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import type { Team } from "#gen/vectorflow/v1/team_pb.ts";

import { Button } from "../ui/button.tsx";
import { Select, TextField } from "../ui/field.tsx";
import { RoleSelect } from "./roles.tsx";

export interface MappingDraft {
  readonly group: string;
  readonly teamId: string;
  readonly role: Role;
}

/** Groups of the provider and the roles that they give. Rows are by place, so that typing keeps its field. */
export function GroupMappings(props: {
  mappings: readonly MappingDraft[];
  teams: readonly Team[];
  onChange: (mappings: readonly MappingDraft[]) => void;
}): JSX.Element {
  const change = (index: number, part: Partial<MappingDraft>): void =>
    props.onChange(
      props.mappings.map((mapping, at) => (at === index ? { ...mapping, ...part } : mapping)),
    );
  return (
    <>
      <Index each={props.mappings}>
        {(mapping, index) => (
          <div class="filter-row" role="group" aria-label={`Mapping ${index + 1}`}>
            <TextField
              label="Group"
              autocomplete="off"
              value={mapping().group}
              onValue={(group) => change(index, { group })}
            />
            <Select
              label="Team"
              value={mapping().teamId}
              options={props.teams.map(({ id, name }) => ({ value: id, label: name }))}
              onValue={(teamId) => change(index, { teamId })}
            />
            <RoleSelect
              label="Role"
              value={mapping().role}
              onValue={(role) => change(index, { role })}
            />
            <Button onClick={() => props.onChange(props.mappings.filter((_, at) => at !== index))}>
              Remove
            </Button>
          </div>
        )}
      </Index>
      <div>
        <Button
          disabledReason={props.teams.length === 0 ? "There is no team" : undefined}
          onClick={() =>
            props.onChange([
              ...props.mappings,
              { group: "", teamId: props.teams[0]?.id ?? "", role: Role.VIEWER },
            ])
          }
        >
          Add a group
        </Button>
      </div>
    </>
  );
}
