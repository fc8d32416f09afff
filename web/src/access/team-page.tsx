import { useNavigate, useParams } from "@solidjs/router";
import { createSignal, Show, type JSX } from "solid-js";

import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import type { Team } from "#gen/vectorflow/v1/team_pb.ts";
import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";

import { NotFoundPage } from "../shell/not-found-page.tsx";
import { useApi } from "../state/api.tsx";
import { useReadAll } from "../state/create-read.ts";
import { useSession } from "../state/session.tsx";
import { createAction } from "../ui/action.ts";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/dialog.tsx";
import { Checkbox, TextField } from "../ui/field.tsx";
import { createForm } from "../ui/form.ts";
import { PageHeader, Section } from "../ui/page.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { showToast } from "../ui/toast.tsx";
import { ApiTokensSection } from "./api-tokens-section.tsx";
import { MembersSection } from "./members-section.tsx";
import { roleName } from "./roles.tsx";

/** One team: who is in it. */
export function TeamPage(): JSX.Element {
  const params = useParams();
  const read = useReadAll(TeamService.method.listTeams, () => ({}), { staleTime: 0 });
  return (
    <QueryView read={read}>
      {(answer) => (
        <Show
          when={answer().teams.find(({ id }) => id === params["id"])}
          fallback={<NotFoundPage />}
        >
          {(team) => <TeamView team={team()} onChanged={read.refetch} />}
        </Show>
      )}
    </QueryView>
  );
}

function TeamView(props: { team: Team; onChanged: () => void }): JSX.Element {
  const session = useSession();
  const isAdmin = (): boolean => props.team.role === Role.ADMIN;
  return (
    <div class="page">
      <PageHeader
        title={props.team.name}
        parent={{ label: "Teams", href: "/settings/teams" }}
        status={`Your role: ${roleName(props.team.role)}`}
        actions={
          <Show when={session.user()?.superAdmin}>
            <DeleteTeam team={props.team} />
          </Show>
        }
      />
      <Show when={isAdmin()}>
        <Section title="Team">
          <RenameForm team={props.team} onChanged={props.onChanged} />
          <FactorPolicy team={props.team} onChanged={props.onChanged} />
        </Section>
      </Show>
      <MembersSection team={props.team} canChange={isAdmin()} onChanged={props.onChanged} />
      <ApiTokensSection team={props.team} />
    </div>
  );
}

function RenameForm(props: { team: Team; onChanged: () => void }): JSX.Element {
  const { clients } = useApi();
  const form = createForm({
    initial: { name: props.team.name },
    wire: { name: "name" },
    validate: (values) => ({ ...(values.name.trim() === "" && { name: "Enter a name." }) }),
    async submit(values) {
      await clients.teams.updateTeam({ id: props.team.id, name: values.name.trim() });
      showToast("The team has a new name");
      props.onChanged();
    },
  });
  return (
    <form class="narrow-form" onSubmit={form.onSubmit} novalidate>
      <TextField
        label="Team name"
        autocomplete="off"
        value={form.values.name}
        onValue={(value) => form.set("name", value)}
        error={form.error("name") ?? form.formError()}
      />
      <Button type="submit" loading={form.submitting()}>
        Save name
      </Button>
    </form>
  );
}

function FactorPolicy(props: { team: Team; onChanged: () => void }): JSX.Element {
  const { clients } = useApi();
  const action = createAction();
  const set = async (requireSecondFactor: boolean): Promise<void> => {
    const { id } = props.team;
    await action.run(() => clients.teams.updateTeam({ id, requireSecondFactor }));
    props.onChanged();
  };
  return (
    <>
      <Checkbox
        label="Members need a second factor"
        hint="Whoever has none can do nothing but set one up, from now on."
        checked={props.team.requireSecondFactor}
        onChecked={(checked) => void set(checked)}
      />
      <Show when={action.error()}>
        <p class="field-note" data-error="" role="alert">
          {action.error()}
        </p>
      </Show>
    </>
  );
}

function DeleteTeam(props: { team: Team }): JSX.Element {
  const { clients } = useApi();
  const navigate = useNavigate();
  const action = createAction();
  const [asking, setAsking] = createSignal(false);
  const remove = async (): Promise<void> => {
    const { id, name } = props.team;
    if (!(await action.run(() => clients.teams.deleteTeam({ id })))) return;
    navigate("/settings/teams");
    showToast(`${name} was deleted`);
  };
  return (
    <>
      <Button
        variant="danger"
        disabledReason={
          props.team.environmentCount > 0 ? "It has environments: delete them first" : undefined
        }
        onClick={() => {
          action.reset();
          setAsking(true);
        }}
      >
        Delete team
      </Button>
      <ConfirmDialog
        open={asking()}
        onOpenChange={setAsking}
        title={`Delete ${props.team.name}?`}
        confirmLabel="Delete team"
        busy={action.busy()}
        error={action.error()}
        onConfirm={() => void remove()}
      >
        <p>Its members keep their accounts. Its rows in the audit stay.</p>
      </ConfirmDialog>
    </>
  );
}
