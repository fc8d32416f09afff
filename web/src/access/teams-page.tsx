import { A } from "@solidjs/router";
import { createSignal, For, Show, type JSX } from "solid-js";

import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";

import { useApi } from "../state/api.tsx";
import { useReadAll } from "../state/create-read.ts";
import { useSession } from "../state/session.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { EmptyState } from "../ui/feedback.tsx";
import { TextField } from "../ui/field.tsx";
import { createForm } from "../ui/form.ts";
import { PageHeader, Section } from "../ui/page.tsx";
import { MoreRows } from "../ui/pager.tsx";
import { PlainTable } from "../ui/plain-table.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { roleName } from "./roles.tsx";

/** The teams that one is in; all of them for super admins. */
export function TeamsPage(): JSX.Element {
  const session = useSession();
  const [creating, setCreating] = createSignal(false);
  const read = useReadAll(TeamService.method.listTeams, () => ({}), { staleTime: 0 });
  return (
    <div class="page">
      <PageHeader
        title="Teams"
        actions={
          <Show when={session.user()?.superAdmin}>
            <Button variant="primary" onClick={() => setCreating(true)}>
              Create team
            </Button>
          </Show>
        }
      />
      <Section title="Your teams" flush>
        <QueryView read={read}>
          {(answer) => (
            <Show
              when={answer().teams.length > 0}
              fallback={
                <EmptyState title="You are in no team">Ask an administrator to add you.</EmptyState>
              }
            >
              <PlainTable label="Teams" head={["Team", "Your role", "Members", "Environments"]}>
                <For each={answer().teams}>
                  {(team) => (
                    <tr>
                      <td>
                        <A href={`/settings/teams/${encodeURIComponent(team.id)}`}>{team.name}</A>
                      </td>
                      <td>{roleName(team.role)}</td>
                      <td>{team.memberCount}</td>
                      <td>{team.environmentCount}</td>
                    </tr>
                  )}
                </For>
              </PlainTable>
              <MoreRows nextPageToken={answer().nextPageToken} />
            </Show>
          )}
        </QueryView>
      </Section>
      <Dialog
        open={creating()}
        onOpenChange={setCreating}
        title="Create a team"
        description="It has no members and no environments at first."
      >
        <Show when={creating()}>
          <CreateTeamForm
            onCreated={() => {
              setCreating(false);
              read.refetch();
            }}
          />
        </Show>
      </Dialog>
    </div>
  );
}

function CreateTeamForm(props: { onCreated: () => void }): JSX.Element {
  const { clients } = useApi();
  const form = createForm({
    initial: { name: "" },
    wire: { name: "name" },
    validate: (values) => ({ ...(values.name.trim() === "" && { name: "Enter a name." }) }),
    async submit(values) {
      await clients.teams.createTeam({ name: values.name.trim() });
      props.onCreated();
    },
  });
  return (
    <form class="narrow-form" onSubmit={form.onSubmit} novalidate>
      <TextField
        label="Name"
        autocomplete="off"
        value={form.values.name}
        onValue={(value) => form.set("name", value)}
        error={form.error("name") ?? form.formError()}
      />
      <Button type="submit" variant="primary" loading={form.submitting()}>
        Create team
      </Button>
    </form>
  );
}
