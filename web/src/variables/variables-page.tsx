import { createSignal, For, Show, type JSX } from "solid-js";

import type { Variable } from "#gen/vectorflow/v1/variable_pb.ts";
import { VariableService } from "#gen/vectorflow/v1/variable_service_pb.ts";

import { Uses } from "../secrets/uses.tsx";
import { useReadAll } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { useClient } from "../state/use-client.ts";
import { createAction } from "../ui/action.ts";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/dialog.tsx";
import { EmptyState, Notice } from "../ui/feedback.tsx";
import { PageHeader, Section } from "../ui/page.tsx";
import { MoreRows } from "../ui/pager.tsx";
import { PlainTable } from "../ui/plain-table.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { showToast } from "../ui/toast.tsx";
import { ChangeVariable } from "./change-variable.tsx";
import { CreateVariable } from "./create-variable.tsx";

import "../secrets/secrets.css";
import "./variables.css";

/** The values of the environment that pipelines refer to and that are no secrets. */
export function VariablesPage(): JSX.Element {
  const environment = useEnvironment();
  const read = useReadAll(
    VariableService.method.listVariables,
    () => ({ environmentId: environment.id() }),
    { staleTime: 0 },
  );
  const [creating, setCreating] = createSignal<string>();
  const done = (text: string): void => {
    setCreating(undefined);
    showToast(text);
    read.refetch();
  };
  return (
    <div class="page">
      <PageHeader title="Variables" />
      <Section
        title="Variables"
        flush
        actions={
          <Show when={environment.canEdit()}>
            <Button variant="primary" onClick={() => setCreating("")}>
              Create variable
            </Button>
          </Show>
        }
      >
        <QueryView read={read}>
          {(answer) => (
            <>
              <For each={answer().missing}>
                {(missing) => (
                  <Notice tone="warn">
                    <code>VAR[{missing.name}]</code> does not exist, but is used by{" "}
                    <Uses uses={missing.uses} />. These cannot be deployed until it is created.{" "}
                    <Show when={environment.canEdit()}>
                      <Button onClick={() => setCreating(missing.name)}>
                        Create {missing.name}
                      </Button>
                    </Show>
                  </Notice>
                )}
              </For>
              <Show
                when={answer().variables.length > 0}
                fallback={
                  <EmptyState title="No variables">
                    Write <code>VAR[name]</code> in a pipeline for what differs between
                    environments: addresses, sizes, names. Values are readable; passwords are
                    secrets.
                  </EmptyState>
                }
              >
                <PlainTable label="Variables" head={["Name", "Value", "Used by", ""]}>
                  <For each={answer().variables}>
                    {(variable) => <VariableRow variable={variable} onDone={done} />}
                  </For>
                </PlainTable>
                <MoreRows nextPageToken={answer().nextPageToken} />
              </Show>
            </>
          )}
        </QueryView>
      </Section>
      <CreateVariable
        name={creating()}
        onOpenChange={(open) => {
          if (!open) setCreating(undefined);
        }}
        onDone={done}
      />
    </div>
  );
}

function VariableRow(props: { variable: Variable; onDone: (text: string) => void }): JSX.Element {
  const variables = useClient(VariableService);
  const environment = useEnvironment();
  const action = createAction();
  const [asking, setAsking] = createSignal<"change" | "delete">();
  const name = (): string => props.variable.name;
  const close = (open: boolean): void => {
    if (!open) setAsking(undefined);
  };
  const ask = (what: "change" | "delete"): void => {
    action.reset();
    setAsking(what);
  };
  const stale = (): string =>
    props.variable.uses
      .filter(({ deployed, deployedValue }) => deployed && deployedValue !== props.variable.value)
      .map(({ pipelineName, deployedValue }) => `${pipelineName} (${deployedValue})`)
      .join(", ");
  const users = (): string =>
    props.variable.uses.map(({ pipelineName }) => pipelineName).join(", ");
  const remove = async (): Promise<void> => {
    const { environmentId, id } = props.variable;
    const request = { environmentId, id, confirmInUse: users() !== "" };
    if (await action.run(() => variables.deleteVariable(request))) {
      setAsking(undefined);
      props.onDone(`The variable ${name()} was deleted`);
    }
  };
  return (
    <tr>
      <th scope="row">
        <code>{name()}</code>
        <p class="field-note">{props.variable.description}</p>
      </th>
      <td class="variable-value">
        <code>{props.variable.value}</code>
        <Show when={stale()}>
          {(names) => (
            <p class="field-note" data-error="">
              Runs with another value: {names()}
            </p>
          )}
        </Show>
      </td>
      <td>
        <Uses uses={props.variable.uses} />
      </td>
      <td>
        <Show when={environment.canEdit()}>
          <div class="row-buttons">
            <Button aria-label={`Change ${name()}`} onClick={() => ask("change")}>
              Change
            </Button>
            <Button aria-label={`Delete ${name()}`} onClick={() => ask("delete")}>
              Delete
            </Button>
          </div>
          <ChangeVariable
            variable={props.variable}
            open={asking() === "change"}
            onOpenChange={close}
            onDone={(text) => {
              setAsking(undefined);
              props.onDone(text);
            }}
          />
          <ConfirmDialog
            open={asking() === "delete"}
            onOpenChange={close}
            title={`Delete the variable ${name()}?`}
            confirmLabel="Delete variable"
            {...(users() !== "" && { typeName: name() })}
            busy={action.busy()}
            error={action.error()}
            onConfirm={() => void remove()}
          >
            <Show when={users()} fallback={<p>No pipeline uses it.</p>}>
              {(names) => (
                <p>
                  Pipelines use it: <strong>{names()}</strong>. What runs goes on with the value it
                  was deployed with; these pipelines cannot be deployed until a variable of this
                  name exists again.
                </p>
              )}
            </Show>
          </ConfirmDialog>
        </Show>
      </td>
    </tr>
  );
}
