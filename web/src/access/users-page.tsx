import { useSearchParams } from "@solidjs/router";
import { createSignal, For, Show, type JSX } from "solid-js";

import type { User } from "#gen/vectorflow/v1/user_pb.ts";
import { UserService } from "#gen/vectorflow/v1/user_service_pb.ts";

import { millisOf } from "../lib/time.ts";
import { useRead } from "../state/create-read.ts";
import { useSession } from "../state/session.tsx";
import { Ago } from "../ui/ago.tsx";
import { Button } from "../ui/button.tsx";
import { EmptyState } from "../ui/feedback.tsx";
import { TextField } from "../ui/field.tsx";
import { Badge } from "../ui/mark.tsx";
import { PageHeader, Section } from "../ui/page.tsx";
import { PlainTable } from "../ui/plain-table.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { CreateUserDialog } from "./create-user-dialog.tsx";
import { roleName } from "./roles.tsx";
import { UserActions } from "./user-actions.tsx";

/** All accounts, for super admins. */
export function UsersPage(): JSX.Element {
  const [params, setParams] = useSearchParams();
  const [creating, setCreating] = createSignal(false);
  const search = (): string => (typeof params["q"] === "string" ? params["q"] : "");
  const page = (): string => (typeof params["page"] === "string" ? params["page"] : "");
  const read = useRead(
    UserService.method.listUsers,
    () => ({ search: search(), pageToken: page() }),
    { keepPrevious: true, staleTime: 0 },
  );
  return (
    <div class="page">
      <PageHeader
        title="Accounts"
        actions={
          <Button variant="primary" onClick={() => setCreating(true)}>
            Create account
          </Button>
        }
      />
      <Section title="People" flush>
        <div class="section-body narrow-form">
          <TextField
            label="Find"
            type="search"
            placeholder="Part of the e-mail or name"
            value={search()}
            onValue={(q) => setParams({ q: q || undefined, page: undefined }, { replace: true })}
          />
        </div>
        <QueryView read={read}>
          {(answer) => (
            <Show
              when={answer().users.length > 0}
              fallback={<EmptyState title="Nobody matches">Look for another part.</EmptyState>}
            >
              <PlainTable label="Accounts" head={["Person", "Teams", "Last sign-in", ""]}>
                <For each={answer().users}>
                  {(user) => <UserRow user={user} onChanged={read.refetch} />}
                </For>
              </PlainTable>
              <Show when={answer().nextPageToken}>
                {(next) => (
                  <div class="section-body">
                    <Button onClick={() => setParams({ page: next() })}>Next page</Button>
                  </div>
                )}
              </Show>
            </Show>
          )}
        </QueryView>
      </Section>
      <CreateUserDialog
        open={creating()}
        onClose={() => setCreating(false)}
        onCreated={read.refetch}
      />
    </div>
  );
}

function UserRow(props: { user: User; onChanged: () => void }): JSX.Element {
  const session = useSession();
  const lockedUntil = (): number => millisOf(props.user.lockedUntilTime) ?? 0;
  return (
    <tr>
      <td>
        <strong>{props.user.name}</strong>{" "}
        <Show when={props.user.superAdmin}>
          <Badge tone="info">super admin</Badge>{" "}
        </Show>
        <Show when={props.user.locked}>
          <Badge tone="bad">locked</Badge>{" "}
        </Show>
        <Show when={!props.user.locked && lockedUntil() > Date.now()}>
          <Badge tone="warn" title="Too many failed sign-ins">
            locked for a while
          </Badge>{" "}
        </Show>
        <Show when={props.user.secondFactor}>
          <Badge tone="ok">second factor</Badge>{" "}
        </Show>
        <Show when={props.user.mustChangePassword}>
          <Badge>temporary password</Badge>
        </Show>
        <p class="cell-note">{props.user.email}</p>
      </td>
      <td>
        <For each={props.user.memberships} fallback={<span class="muted">None</span>}>
          {(membership) => (
            <div>
              {membership.teamName} <span class="muted">{roleName(membership.role)}</span>
            </div>
          )}
        </For>
      </td>
      <td>
        <Show when={props.user.lastSignInTime} fallback={<span class="muted">Never</span>}>
          <Ago ms={millisOf(props.user.lastSignInTime)} now={Date.now()} />
        </Show>
      </td>
      <td>
        <Show
          when={session.user()?.id !== props.user.id}
          fallback={<div class="row-actions muted">You</div>}
        >
          <UserActions user={props.user} onChanged={props.onChanged} />
        </Show>
      </td>
    </tr>
  );
}
