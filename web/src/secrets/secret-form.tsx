import { Show, type JSX } from "solid-js";

import type { Secret } from "#gen/vectorflow/v1/secret_pb.ts";

import { useApi } from "../state/api.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextArea, TextField } from "../ui/field.tsx";
import { createForm } from "../ui/form.ts";
import { deployedNames } from "./uses.tsx";

/** Makes a secret, or gives one another value. */
export function SecretForm(props: {
  secret?: Secret;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onDone: (text: string) => void;
}): JSX.Element {
  return (
    <Dialog
      open={props.open}
      onOpenChange={props.onOpenChange}
      title={props.secret ? `New value for ${props.secret.name}` : "Create a secret"}
      {...(props.secret
        ? {}
        : { description: "Pipelines of this environment refer to it as SECRET[name]." })}
    >
      <Show when={props.open}>
        <Fields
          {...(props.secret && { secret: props.secret })}
          onCancel={() => props.onOpenChange(false)}
          onDone={props.onDone}
        />
      </Show>
    </Dialog>
  );
}

function Fields(props: {
  secret?: Secret;
  onCancel: () => void;
  onDone: (text: string) => void;
}): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const form = createForm({
    initial: { name: "", value: "" },
    wire: { name: "name", value: "value" },
    validate: (values) => ({
      ...(props.secret === undefined && values.name === "" && { name: "Give it a name." }),
      ...(values.value === "" && { value: "Enter the value." }),
    }),
    async submit({ name, value }) {
      const environmentId = environment.id();
      if (props.secret === undefined) {
        await clients.secrets.createSecret({ environmentId, name, value });
        props.onDone(`The secret ${name} was created`);
        return;
      }
      const { id } = props.secret;
      const { changed, pipelineNames } = await clients.secrets.updateSecret({
        environmentId,
        id,
        value,
      });
      if (!changed) props.onDone("It is the value that was there: nothing changed");
      else if (pipelineNames.length === 0) props.onDone("The value was saved");
      else props.onDone(`Hosts get the new value now: ${pipelineNames.join(", ")}`);
    },
  });
  return (
    <form class="secret-form" onSubmit={form.onSubmit} novalidate>
      <Show when={deployedNames(props.secret?.uses ?? [])}>
        {(names) => (
          <p>
            Connected hosts that run <strong>{names()}</strong> get the new value at once.
          </p>
        )}
      </Show>
      <Show when={props.secret === undefined}>
        <TextField
          label="Name"
          hint="Letters, digits, _, . and -"
          autocomplete="off"
          spellcheck={false}
          value={form.values.name}
          onValue={(name) => form.set("name", name)}
          error={form.error("name")}
        />
      </Show>
      <TextArea
        label="Value"
        hint="Kept exactly as it is, with spaces and line ends."
        rows={4}
        autocomplete="off"
        spellcheck={false}
        value={form.values.value}
        onValue={(value) => form.set("value", value)}
        error={form.error("value")}
      />
      <Show when={form.formError()}>
        <p role="alert" class="dialog-error">
          {form.formError()}
        </p>
      </Show>
      <div class="row-buttons">
        <Button onClick={() => props.onCancel()}>Cancel</Button>
        <Button type="submit" variant="primary" loading={form.submitting()}>
          {props.secret ? "Save value" : "Create secret"}
        </Button>
      </div>
    </form>
  );
}
