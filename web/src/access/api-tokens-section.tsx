import { createSignal, For, Show, type JSX } from "solid-js";

import {
  ApiTokenService,
  type ApiToken,
  type CreateApiTokenResponse,
} from "#gen/vectorflow/v1/api_token_service_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import type { Team } from "#gen/vectorflow/v1/team_pb.ts";

import { formatAbsolute, millisOf, toTimestamp } from "../lib/time.ts";
import { useApi } from "../state/api.tsx";
import { useReadAll } from "../state/create-read.ts";
import { createAction } from "../ui/action.ts";
import { Ago } from "../ui/ago.tsx";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog, Dialog } from "../ui/dialog.tsx";
import { EmptyState } from "../ui/feedback.tsx";
import { Select, TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm } from "../ui/form.ts";
import { Section } from "../ui/page.tsx";
import { MoreRows } from "../ui/pager.tsx";
import { PlainTable } from "../ui/plain-table.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { roleName, RoleSelect } from "./roles.tsx";
import { ShownOnce } from "./shown-once.tsx";

/** The tokens by which programs act in a team. */
export function ApiTokensSection(props: { team: Team }): JSX.Element {
  const read = useReadAll(ApiTokenService.method.listApiTokens, () => ({ teamId: props.team.id }), {
    staleTime: 0,
  });
  const [creating, setCreating] = createSignal(false);
  const [created, setCreated] = createSignal<CreateApiTokenResponse>();
  const close = (): void => {
    setCreating(false);
    setCreated(undefined);
  };
  return (
    <Section
      title="API tokens"
      flush
      actions={<Button onClick={() => setCreating(true)}>Create token</Button>}
    >
      <QueryView read={read}>
        {(answer) => (
          <Show
            when={answer().tokens.length > 0}
            fallback={
              <EmptyState title="No tokens">
                A token lets a program act in this team, as <code>authorization: Bearer vfa_…</code>
                , by gRPC or Connect.
              </EmptyState>
            }
          >
            <PlainTable
              label="API tokens"
              head={["Name", "Role", "Last used", "Expires", "Made by", ""]}
            >
              <For each={answer().tokens}>
                {(token) => (
                  <TokenRow teamId={props.team.id} token={token} onRevoked={read.refetch} />
                )}
              </For>
            </PlainTable>
            <MoreRows nextPageToken={answer().nextPageToken} />
          </Show>
        )}
      </QueryView>
      <Dialog
        open={creating()}
        onOpenChange={(open) => !open && close()}
        title={created() ? "The token is made" : "Create an API token"}
        footer={<Button onClick={close}>{created() ? "Done" : "Cancel"}</Button>}
      >
        <Show
          when={created()}
          fallback={
            <Show when={creating()}>
              <CreateTokenForm
                team={props.team}
                onCreated={(answer) => {
                  setCreated(answer);
                  read.refetch();
                }}
              />
            </Show>
          }
        >
          {(answer) => (
            <>
              <p>Keep it now: it is not shown again.</p>
              <ShownOnce label="API token" value={answer().token} />
            </>
          )}
        </Show>
      </Dialog>
    </Section>
  );
}

function TokenRow(props: { teamId: string; token: ApiToken; onRevoked: () => void }): JSX.Element {
  const { clients } = useApi();
  const action = createAction();
  const [asking, setAsking] = createSignal(false);
  const expires = (): number | undefined => millisOf(props.token.expireTime);
  const revoke = async (): Promise<void> => {
    const request = { teamId: props.teamId, id: props.token.id };
    if (!(await action.run(() => clients.apiTokens.revokeApiToken(request)))) return;
    setAsking(false);
    props.onRevoked();
  };
  return (
    <tr>
      <td>
        <strong>{props.token.name}</strong>
        <p class="cell-note">
          <code>{props.token.hint}…</code>
        </p>
      </td>
      <td>{roleName(props.token.role)}</td>
      <td>
        <Show when={props.token.lastUsedTime} fallback={<span class="muted">Never</span>}>
          <Ago ms={millisOf(props.token.lastUsedTime)} now={Date.now()} />
        </Show>
      </td>
      <td>
        <Show when={expires()} fallback={<span class="muted">Never</span>}>
          {(ms) => (ms() < Date.now() ? "Expired" : formatAbsolute(ms()))}
        </Show>
      </td>
      <td>{props.token.userEmail}</td>
      <td>
        <div class="row-actions">
          <Button
            aria-label={`Revoke ${props.token.name}`}
            onClick={() => {
              action.reset();
              setAsking(true);
            }}
          >
            Revoke
          </Button>
        </div>
        <ConfirmDialog
          open={asking()}
          onOpenChange={setAsking}
          title={`Revoke ${props.token.name}?`}
          confirmLabel="Revoke token"
          busy={action.busy()}
          error={action.error()}
          onConfirm={() => void revoke()}
        >
          <p>Programs that use it are refused from now on.</p>
        </ConfirmDialog>
      </td>
    </tr>
  );
}

const lifetimes = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "1 year" },
  { value: "0", label: "No end" },
] as const;
const dayMs = 24 * 3_600_000;

function CreateTokenForm(props: {
  team: Team;
  onCreated: (answer: CreateApiTokenResponse) => void;
}): JSX.Element {
  const { clients } = useApi();
  const [role, setRole] = createSignal<Role>(Role.VIEWER);
  const [days, setDays] = createSignal<(typeof lifetimes)[number]["value"]>("90");
  const form = createForm({
    initial: { name: "" },
    wire: { name: "name" },
    validate: (values) => ({
      ...(values.name.trim() === "" && { name: "Say what it is for." }),
    }),
    async submit(values) {
      const answer = await clients.apiTokens.createApiToken({
        teamId: props.team.id,
        name: values.name.trim(),
        role: role(),
        ...(days() !== "0" && { expireTime: toTimestamp(Date.now() + Number(days()) * dayMs) }),
      });
      props.onCreated(answer);
    },
  });
  return (
    <form class="narrow-form" onSubmit={form.onSubmit} novalidate>
      <TextField
        label="What it is for"
        autocomplete="off"
        value={form.values.name}
        onValue={(value) => form.set("name", value)}
        error={form.error("name")}
      />
      <div class="filter-row">
        <RoleSelect label="Role" value={role()} highest={props.team.role} onValue={setRole} />
        <Select label="Expires after" value={days()} options={lifetimes} onValue={setDays} />
      </div>
      <FormError text={form.formError()} />
      <Button type="submit" variant="primary" loading={form.submitting()}>
        Create token
      </Button>
    </form>
  );
}
