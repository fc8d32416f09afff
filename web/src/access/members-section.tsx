import { createSignal, For, Show, type JSX } from "solid-js";

import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import type { Member, Team } from "#gen/vectorflow/v1/team_pb.ts";
import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";

import { useApi } from "../state/api.tsx";
import { useReadAll } from "../state/create-read.ts";
import { useSession } from "../state/session.tsx";
import { createAction } from "../ui/action.ts";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/dialog.tsx";
import { EmptyState } from "../ui/feedback.tsx";
import { TextField } from "../ui/field.tsx";
import { createForm } from "../ui/form.ts";
import { Badge } from "../ui/mark.tsx";
import { Section } from "../ui/page.tsx";
import { MoreRows } from "../ui/pager.tsx";
import { PlainTable } from "../ui/plain-table.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { roleName, RoleSelect } from "./roles.tsx";

/** Who is in a team, and the ways to change that. */
export function MembersSection(props: {
  team: Team;
  canChange: boolean;
  onChanged: () => void;
}): JSX.Element {
  const read = useReadAll(TeamService.method.listMembers, () => ({ teamId: props.team.id }), {
    staleTime: 0,
  });
  const changed = (): void => {
    read.refetch();
    props.onChanged();
  };
  return (
    <Section title="Members" flush>
      <Show when={props.canChange}>
        <div class="section-body">
          <AddMemberForm teamId={props.team.id} onAdded={changed} />
        </div>
      </Show>
      <QueryView read={read}>
        {(answer) => (
          <Show
            when={answer().members.length > 0}
            fallback={<EmptyState title="Nobody is in it yet">Add people by e-mail.</EmptyState>}
          >
            <PlainTable label="Members" head={["Person", "Role", ""]}>
              <For each={answer().members}>
                {(member) => (
                  <MemberRow
                    teamId={props.team.id}
                    member={member}
                    canChange={props.canChange}
                    onChanged={changed}
                  />
                )}
              </For>
            </PlainTable>
            <MoreRows nextPageToken={answer().nextPageToken} />
          </Show>
        )}
      </QueryView>
    </Section>
  );
}

function MemberRow(props: {
  teamId: string;
  member: Member;
  canChange: boolean;
  onChanged: () => void;
}): JSX.Element {
  const { clients } = useApi();
  const session = useSession();
  const action = createAction();
  const [asking, setAsking] = createSignal(false);
  const changeable = (): boolean => props.canChange && session.user()?.id !== props.member.userId;
  const ids = () => ({ teamId: props.teamId, userId: props.member.userId });
  const setRole = async (role: Role): Promise<void> => {
    await action.run(() => clients.teams.updateMember({ ...ids(), role }));
    props.onChanged();
  };
  const remove = async (): Promise<void> => {
    if (!(await action.run(() => clients.teams.removeMember(ids())))) return;
    setAsking(false);
    props.onChanged();
  };
  return (
    <tr>
      <td>
        <strong>{props.member.name}</strong>{" "}
        <Show when={props.member.secondFactor}>
          <Badge tone="ok">second factor</Badge>{" "}
        </Show>
        <Show when={props.member.locked}>
          <Badge tone="bad">locked</Badge>
        </Show>
        <p class="cell-note">{props.member.email}</p>
        <Show when={action.error() !== undefined && !asking()}>
          <p class="field-note" data-error="" role="alert">
            {action.error()}
          </p>
        </Show>
      </td>
      <td>
        <Show when={changeable()} fallback={roleName(props.member.role)}>
          <RoleSelect
            label={`Role of ${props.member.email}`}
            value={props.member.role}
            onValue={(role) => void setRole(role)}
          />
        </Show>
      </td>
      <td>
        <Show when={changeable()}>
          <div class="row-actions">
            <Button onClick={() => setAsking(true)}>Remove</Button>
          </div>
          <ConfirmDialog
            open={asking()}
            onOpenChange={setAsking}
            title={`Remove ${props.member.name} from the team?`}
            confirmLabel="Remove"
            busy={action.busy()}
            error={action.error()}
            onConfirm={() => void remove()}
          >
            <p>Open pages of the team's environments end within seconds for them.</p>
          </ConfirmDialog>
        </Show>
      </td>
    </tr>
  );
}

function AddMemberForm(props: { teamId: string; onAdded: () => void }): JSX.Element {
  const { clients } = useApi();
  const [role, setRole] = createSignal<Role>(Role.VIEWER);
  const form = createForm({
    initial: { email: "" },
    wire: { email: "email" },
    validate: (values) => ({
      ...(!/.@./.test(values.email) && { email: "Enter the e-mail of an account." }),
    }),
    async submit(values) {
      const email = values.email.trim();
      await clients.teams.addMember({ teamId: props.teamId, email, role: role() });
      form.set("email", "");
      props.onAdded();
    },
  });
  return (
    <form class="filter-row" onSubmit={form.onSubmit} novalidate>
      <TextField
        label="Add a person by e-mail"
        type="email"
        autocomplete="off"
        value={form.values.email}
        onValue={(value) => form.set("email", value)}
        error={form.error("email") ?? form.formError()}
      />
      <RoleSelect label="Role" value={role()} onValue={setRole} />
      <Button type="submit" loading={form.submitting()}>
        Add
      </Button>
    </form>
  );
}
