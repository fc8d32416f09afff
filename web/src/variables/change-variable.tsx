import { createSignal, For, Show, type JSX } from "solid-js";

import type { Variable } from "#gen/vectorflow/v1/variable_pb.ts";
import { VariableService, type VariableEffect } from "#gen/vectorflow/v1/variable_service_pb.ts";

import { plural } from "../lib/format.ts";
import { createAction } from "../ui/action.ts";
import { useClient } from "../state/use-client.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm } from "../ui/form.ts";

/** Gives a variable another value: first whom that changes, then whether they are deployed with it. */
export function ChangeVariable(props: {
  variable: Variable;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onDone: (text: string) => void;
}): JSX.Element {
  return (
    <Dialog
      open={props.open}
      onOpenChange={props.onOpenChange}
      title={`Change ${props.variable.name}`}
    >
      <Show when={props.open}>
        <Steps
          variable={props.variable}
          onCancel={() => props.onOpenChange(false)}
          onDone={props.onDone}
        />
      </Show>
    </Dialog>
  );
}

function Steps(props: {
  variable: Variable;
  onCancel: () => void;
  onDone: (text: string) => void;
}): JSX.Element {
  const variables = useClient(VariableService);
  // What the dialog was opened with; a change by somebody else meanwhile is refused by the server.
  const before = props.variable;
  const { environmentId, id } = before;
  const [effects, setEffects] = createSignal<readonly VariableEffect[]>();
  const save = createAction();
  const values = { value: before.value, description: before.description };
  const form = createForm({
    initial: values,
    wire: { value: "value", description: "description" },
    async submit({ value }) {
      const { pipelines } = await variables.previewVariable({ environmentId, id, value });
      setEffects(
        pipelines.filter(
          ({ componentKeys, ...effect }) => componentKeys.length + objectionsTo(effect).length > 0,
        ),
      );
    },
  });
  const update = (deploy: boolean): Promise<boolean> =>
    save.run(async () => {
      const request = { environmentId, id, ...form.values, valueBefore: before.value, deploy };
      const { deployedNames, staleNames } = await variables.updateVariable(request);
      if (deployedNames.length > 0) props.onDone(`Deployed with it: ${deployedNames.join(", ")}`);
      else if (staleNames.length > 0) {
        props.onDone(
          `Saved. Until they are deployed these run as before: ${staleNames.join(", ")}`,
        );
      } else props.onDone(`The variable ${before.name} was saved`);
    });
  const broken = (): boolean =>
    effects()?.some((effect) => objectionsTo(effect).length > 0) ?? false;
  return (
    <form class="secret-form" onSubmit={form.onSubmit} novalidate>
      <TextField
        label="Value"
        autocomplete="off"
        spellcheck={false}
        value={form.values.value}
        onValue={(value) => {
          setEffects(undefined);
          form.set("value", value);
        }}
        error={form.error("value")}
      />
      <TextField
        label="Description"
        value={form.values.description}
        onValue={(description) => form.set("description", description)}
        error={form.error("description")}
      />
      <Show when={effects()}>{(list) => <Effects effects={list()} />}</Show>
      <FormError text={save.error() ?? form.formError()} />
      <div class="row-buttons">
        <Button onClick={() => props.onCancel()}>Cancel</Button>
        <Show
          when={effects()}
          fallback={
            <Button type="submit" variant="primary" loading={form.submitting()}>
              Review change
            </Button>
          }
        >
          {(list) => (
            <>
              <Button
                variant={list().length === 0 ? "primary" : "secondary"}
                loading={save.busy()}
                onClick={() => void update(false)}
              >
                {list().length === 0 ? "Save" : "Save only"}
              </Button>
              <Show when={list().length > 0}>
                <Button
                  variant="primary"
                  loading={save.busy()}
                  disabledReason={broken() ? "Not all of them can be deployed with it" : undefined}
                  onClick={() => void update(true)}
                >
                  Save and deploy {plural(list().length, "pipeline")}
                </Button>
              </Show>
            </>
          )}
        </Show>
      </div>
    </form>
  );
}

/** What keeps a pipeline from being deployed with the value. */
function objectionsTo({
  errors,
  failedTests,
}: Pick<VariableEffect, "errors" | "failedTests">): readonly string[] {
  return [...errors, ...failedTests];
}

function Effects(props: { effects: readonly VariableEffect[] }): JSX.Element {
  return (
    <Show when={props.effects.length > 0} fallback={<p>No deployed pipeline changes by this.</p>}>
      <p>Deployed pipelines that this changes, once they are deployed with it:</p>
      <ul class="variable-effects">
        <For each={props.effects}>
          {(effect) => (
            <li>
              <strong>{effect.name}</strong> on {plural(effect.nodeCount, "host")}
              <Show when={effect.componentKeys.length > 0}>
                {" "}
                (<code>{effect.componentKeys.join(", ")}</code>)
              </Show>
              <For each={objectionsTo(effect)}>
                {(error) => (
                  <p class="field-note" data-error="">
                    {error}
                  </p>
                )}
              </For>
            </li>
          )}
        </For>
      </ul>
    </Show>
  );
}
