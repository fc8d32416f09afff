import { createSignal, For, Show, type JSX } from "solid-js";

import type { Secret } from "#gen/vectorflow/v1/secret_pb.ts";
import { SecretBackend, SecretBackendFailure } from "#gen/vectorflow/v1/secret_backend_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";

import { millisOf } from "../lib/time.ts";
import { useApi } from "../state/api.tsx";
import { useReadAll } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { useLive } from "../state/live.tsx";
import { createAction } from "../ui/action.ts";
import { Ago } from "../ui/ago.tsx";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/dialog.tsx";
import { EmptyState } from "../ui/feedback.tsx";
import { Section } from "../ui/page.tsx";
import { MoreRows } from "../ui/pager.tsx";
import { PlainTable } from "../ui/plain-table.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { showToast } from "../ui/toast.tsx";
import { BackendSection } from "./backend-section.tsx";
import { Outage, ReadNow, Source } from "./backend-state.tsx";
import { RevealDialog } from "./reveal-dialog.tsx";
import { SecretForm } from "./secret-form.tsx";
import { deployedNames, MissingNotice, Uses } from "./uses.tsx";

/** The secrets of the environment: their names, who uses them, and never their values. */
export function SecretsSection(): JSX.Element {
  const environment = useEnvironment();
  const read = useReadAll(
    SecretService.method.listSecrets,
    () => ({ environmentId: environment.id() }),
    { staleTime: 0 },
  );
  const [creating, setCreating] = createSignal(false);
  const backend = (): SecretBackend => read.data()?.backend?.backend ?? SecretBackend.BUILTIN;
  const failing = (): boolean =>
    (read.data()?.backend?.failure ?? SecretBackendFailure.UNSPECIFIED) !==
    SecretBackendFailure.UNSPECIFIED;
  const done = (text: string): void => {
    setCreating(false);
    showToast(text);
    read.refetch();
  };
  return (
    <>
      <Section
        title="Secrets"
        flush
        actions={
          <Show when={environment.canEdit()}>
            <Show when={backend() !== SecretBackend.BUILTIN}>
              <ReadNow onDone={done} />
            </Show>
            <Button variant="primary" onClick={() => setCreating(true)}>
              Create secret
            </Button>
          </Show>
        }
      >
        <QueryView read={read}>
          {(answer) => (
            <>
              <Show when={answer().backend}>{(health) => <Outage health={health()} />}</Show>
              <MissingNotice kind="SECRET" missing={answer().missing} />
              <Show
                when={answer().secrets.length > 0}
                fallback={
                  <EmptyState title="No secrets">
                    Write <code>SECRET[name]</code> in a pipeline instead of a password or a token.
                    The value goes only to the hosts that run it.
                  </EmptyState>
                }
              >
                <PlainTable label="Secrets" head={["Name", "Used by", "Value set", ""]}>
                  <For each={answer().secrets}>
                    {(secret) => (
                      <SecretRow
                        secret={secret}
                        backend={backend()}
                        failing={failing()}
                        onChanged={read.refetch}
                      />
                    )}
                  </For>
                </PlainTable>
                <MoreRows nextPageToken={answer().nextPageToken} />
              </Show>
            </>
          )}
        </QueryView>
        <SecretForm
          backend={backend()}
          open={creating()}
          onOpenChange={setCreating}
          onDone={done}
        />
      </Section>
      <Show when={environment.canAdmin()}>
        <BackendSection onChanged={read.refetch} />
      </Show>
    </>
  );
}

function SecretRow(props: {
  secret: Secret;
  backend: SecretBackend;
  /** The backend as a whole does not answer. */
  failing: boolean;
  onChanged: () => void;
}): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const live = useLive();
  const action = createAction();
  const [asking, setAsking] = createSignal<"reveal" | "value" | "delete">();
  const name = (): string => props.secret.name;
  const changeLabel = (): string =>
    props.backend === SecretBackend.BUILTIN ? "New value" : "Reference";
  const close = (open: boolean): void => {
    if (!open) setAsking(undefined);
  };
  const ask = (what: "reveal" | "value" | "delete"): void => {
    action.reset();
    setAsking(what);
  };
  const remove = async (): Promise<void> => {
    const { environmentId, id } = props.secret;
    const request = { environmentId, id, confirmInUse: deployedNames(props.secret.uses) !== "" };
    if (!(await action.run(() => clients.secrets.deleteSecret(request)))) return;
    setAsking(undefined);
    showToast(`The secret ${name()} was deleted`);
    props.onChanged();
  };
  return (
    <tr>
      <th scope="row">
        <code>{name()}</code>
        <Source secret={props.secret} failing={props.failing} />
      </th>
      <td>
        <Uses uses={props.secret.uses} />
      </td>
      <td>
        <Ago ms={millisOf(props.secret.updateTime)} now={live.now()} />
      </td>
      <td>
        <Show when={environment.canEdit()}>
          <div class="row-buttons">
            <Button aria-label={`Reveal ${name()}`} onClick={() => ask("reveal")}>
              Reveal
            </Button>
            <Button aria-label={`${changeLabel()} for ${name()}`} onClick={() => ask("value")}>
              {changeLabel()}
            </Button>
            <Button aria-label={`Delete ${name()}`} onClick={() => ask("delete")}>
              Delete
            </Button>
          </div>
          <RevealDialog secret={props.secret} open={asking() === "reveal"} onOpenChange={close} />
          <SecretForm
            secret={props.secret}
            backend={props.backend}
            open={asking() === "value"}
            onOpenChange={close}
            onDone={(text) => {
              setAsking(undefined);
              showToast(text);
              props.onChanged();
            }}
          />
          <ConfirmDialog
            open={asking() === "delete"}
            onOpenChange={close}
            title={`Delete the secret ${name()}?`}
            confirmLabel="Delete secret"
            {...(deployedNames(props.secret.uses) !== "" && { typeName: name() })}
            busy={action.busy()}
            error={action.error()}
            onConfirm={() => void remove()}
          >
            <Show
              when={deployedNames(props.secret.uses)}
              fallback={<p>No deployed pipeline uses it. Its value cannot be brought back.</p>}
            >
              {(names) => (
                <p>
                  Deployed pipelines use it: <strong>{names()}</strong>. Hosts go on with the value
                  they have, and these pipelines cannot be deployed or brought to new hosts until a
                  secret of this name exists again.
                </p>
              )}
            </Show>
          </ConfirmDialog>
        </Show>
      </td>
    </tr>
  );
}
