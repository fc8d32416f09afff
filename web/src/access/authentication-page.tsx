import { createSignal, Show, type JSX } from "solid-js";

import {
  SettingsService,
  type AuthenticationSettings,
} from "#gen/vectorflow/v1/settings_service_pb.ts";
import type { Team } from "#gen/vectorflow/v1/team_pb.ts";
import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";

import { useApi } from "../state/api.tsx";
import { useRead, useReadAll } from "../state/create-read.ts";
import { createAction } from "../ui/action.ts";
import { Button } from "../ui/button.tsx";
import { Notice } from "../ui/feedback.tsx";
import { Checkbox, Select, TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm } from "../ui/form.ts";
import { PageHeader, Section } from "../ui/page.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { showToast } from "../ui/toast.tsx";
import { GroupMappings, type MappingDraft } from "./group-mappings.tsx";
import { RoleSelect } from "./roles.tsx";
import { ShownOnce } from "./shown-once.tsx";

/** How people sign in through an OpenID provider. */
export function AuthenticationPage(): JSX.Element {
  const read = useRead(SettingsService.method.getAuthenticationSettings, () => ({}), {
    staleTime: 0,
  });
  const teams = useReadAll(TeamService.method.listTeams, () => ({}), { staleTime: 0 });
  return (
    <div class="page">
      <PageHeader title="Authentication" />
      <QueryView read={read} skeletonRows={8}>
        {(answer) => (
          <QueryView read={teams}>
            {(list) => (
              <Show when={answer().settings} keyed>
                {(settings) => <ProviderForm settings={settings} teams={list().teams} />}
              </Show>
            )}
          </QueryView>
        )}
      </QueryView>
    </div>
  );
}

interface Values extends Record<string, string | boolean> {
  enabled: boolean;
  displayName: string;
  issuer: string;
  clientId: string;
  clientSecret: string;
  groupsClaim: string;
}

function ProviderForm(props: {
  settings: AuthenticationSettings;
  teams: readonly Team[];
}): JSX.Element {
  const { clients } = useApi();
  // What is there when the page opens; the fields go on from it.
  const initial = props.settings;
  const [mappings, setMappings] = createSignal<readonly MappingDraft[]>(initial.mappings);
  const [defaultTeam, setDefaultTeam] = createSignal(initial.defaultTeamId);
  const [defaultRole, setDefaultRole] = createSignal<Role>(initial.defaultRole || Role.VIEWER);
  const [kept, setKept] = createSignal(initial.hasClientSecret);
  const form = createForm<Values>({
    initial: {
      enabled: initial.enabled,
      displayName: initial.displayName,
      issuer: initial.issuer,
      clientId: initial.clientId,
      clientSecret: "",
      groupsClaim: initial.groupsClaim,
    },
    wire: {
      displayName: "display_name",
      issuer: "issuer",
      clientId: "client_id",
      clientSecret: "client_secret",
      groupsClaim: "groups_claim",
    },
    async submit({ clientSecret, ...values }) {
      await clients.settings.updateAuthenticationSettings({
        settings: {
          ...values,
          mappings: mappings().map(({ group, teamId, role }) => ({ group, teamId, role })),
          defaultTeamId: defaultTeam(),
          defaultRole: defaultRole(),
        },
        clientSecret,
      });
      form.set("clientSecret", "");
      setKept(kept() || clientSecret !== "");
      showToast("The settings are saved");
    },
  });
  const text = (name: Exclude<keyof Values & string, "enabled">) => ({
    get value(): string {
      return String(form.values[name]);
    },
    get error(): string | undefined {
      return form.error(name);
    },
    onValue: (value: string) => form.set(name, value),
    autocomplete: "off",
  });
  return (
    <form class="page-form" onSubmit={form.onSubmit} novalidate>
      <Section title="OpenID provider">
        <div class="narrow-form">
          <p class="muted">Register this address with the provider:</p>
          <ShownOnce label="Redirect address" value={initial.redirectUri} />
          <TextField label="Issuer" hint="As in https://id.example.com" {...text("issuer")} />
          <TestIssuer issuer={form.values.issuer} />
          <TextField label="Client id" {...text("clientId")} />
          <TextField
            label="Client secret"
            type="password"
            hint={kept() ? "One is kept. Leave this empty to keep it." : ""}
            {...text("clientSecret")}
          />
          <TextField label="Name on the button" hint="As in Example ID" {...text("displayName")} />
          <Checkbox
            label="People may sign in through it"
            hint="Whoever the provider vouches for gets an account, with the roles below."
            checked={form.values.enabled}
            onChecked={(checked) => form.set("enabled", checked)}
          />
        </div>
      </Section>
      <Section title="Roles from groups">
        <div class="mapping-form">
          <p class="muted">
            The highest role that somebody's groups give in a team wins, at each sign-in. A role
            goes with its group; roles that people gave stay.
          </p>
          <TextField label="Claim that lists groups" {...text("groupsClaim")} />
          <GroupMappings mappings={mappings()} teams={props.teams} onChange={setMappings} />
          <div class="filter-row">
            <span>In no mapped group:</span>
            <Select
              label="Default team"
              value={defaultTeam()}
              options={[
                { value: "", label: "No team" },
                ...props.teams.map(({ id, name }) => ({ value: id, label: name })),
              ]}
              onValue={setDefaultTeam}
            />
            <Show when={defaultTeam() !== ""}>
              <RoleSelect label="Default role" value={defaultRole()} onValue={setDefaultRole} />
            </Show>
          </div>
        </div>
      </Section>
      <FormError text={form.formError()} />
      <div>
        <Button type="submit" variant="primary" loading={form.submitting()}>
          Save
        </Button>
      </div>
    </form>
  );
}

function TestIssuer(props: { issuer: string }): JSX.Element {
  const { clients } = useApi();
  const action = createAction();
  const [answer, setAnswer] = createSignal<{ works: boolean; message: string }>();
  const test = async (): Promise<void> => {
    setAnswer(undefined);
    const { issuer } = props;
    await action.run(async () => setAnswer(await clients.settings.testIssuer({ issuer })));
  };
  return (
    <>
      <Button loading={action.busy()} onClick={() => void test()}>
        Test
      </Button>
      <Show when={answer()?.message ?? action.error()}>
        {(message) => <Notice tone="bad">{message()}</Notice>}
      </Show>
      <Show when={answer()?.works}>
        <Notice tone="ok">The provider answers.</Notice>
      </Show>
    </>
  );
}
