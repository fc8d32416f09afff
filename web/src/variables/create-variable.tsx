import { Show, type JSX } from "solid-js";

import { VariableService } from "#gen/vectorflow/v1/variable_service_pb.ts";

import { useEnvironment } from "../state/environment.tsx";
import { useClient } from "../state/use-client.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm } from "../ui/form.ts";

/** Creates a variable; open while `name` is a text, which is what the name starts as. */
export function CreateVariable(props: {
  name: string | undefined;
  onOpenChange: (open: boolean) => void;
  onDone: (text: string) => void;
}): JSX.Element {
  return (
    <Dialog
      open={props.name !== undefined}
      onOpenChange={props.onOpenChange}
      title="Create a variable"
      description="Pipelines of this environment refer to it as VAR[name]."
    >
      <Show when={props.name !== undefined}>
        <Fields
          name={props.name ?? ""}
          onCancel={() => props.onOpenChange(false)}
          onDone={props.onDone}
        />
      </Show>
    </Dialog>
  );
}

function Fields(props: {
  name: string;
  onCancel: () => void;
  onDone: (text: string) => void;
}): JSX.Element {
  const variables = useClient(VariableService);
  const environment = useEnvironment();
  // The name that the dialog was opened with; people go on from it.
  const initialName = props.name;
  const form = createForm({
    initial: { name: initialName, value: "", description: "" },
    wire: { name: "name", value: "value", description: "description" },
    validate: ({ name }) => (name === "" ? { name: "Give it a name." } : {}),
    async submit(values) {
      await variables.createVariable({ environmentId: environment.id(), ...values });
      props.onDone(`The variable ${values.name} was created`);
    },
  });
  return (
    <form class="secret-form" onSubmit={form.onSubmit} novalidate>
      <TextField
        label="Name"
        hint="Letters, digits, _, . and -"
        autocomplete="off"
        spellcheck={false}
        value={form.values.name}
        onValue={(name) => form.set("name", name)}
        error={form.error("name")}
      />
      <TextField
        label="Value"
        hint="One line. Everyone who sees the environment can read it."
        autocomplete="off"
        spellcheck={false}
        value={form.values.value}
        onValue={(value) => form.set("value", value)}
        error={form.error("value")}
      />
      <TextField
        label="Description"
        value={form.values.description}
        onValue={(description) => form.set("description", description)}
        error={form.error("description")}
      />
      <FormError text={form.formError()} />
      <div class="row-buttons">
        <Button onClick={() => props.onCancel()}>Cancel</Button>
        <Button type="submit" variant="primary" loading={form.submitting()}>
          Create variable
        </Button>
      </div>
    </form>
  );
}
