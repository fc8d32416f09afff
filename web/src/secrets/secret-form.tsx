import { Show, type JSX } from "solid-js";

import type { Secret } from "#gen/vectorflow/v1/secret_pb.ts";
import { SecretBackend } from "#gen/vectorflow/v1/secret_backend_pb.ts";

import { useApi } from "../state/api.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextArea, TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm } from "../ui/form.ts";
import { backendName } from "./backend-words.ts";
import { deployedNames } from "./uses.tsx";

/** Makes a secret, or gives one another value: the value itself, or where the backend has it. */
export function SecretForm(props: {
  secret?: Secret;
  backend: SecretBackend;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onDone: (text: string) => void;
}): JSX.Element {
  return (
    <Dialog
      open={props.open}
      onOpenChange={props.onOpenChange}
      title={
        props.secret
          ? `${isExternal(props.backend) ? "Another reference" : "New value"} for ${props.secret.name}`
          : "Create a secret"
      }
      {...(props.secret
        ? {}
        : { description: "Pipelines of this environment refer to it as SECRET[name]." })}
    >
      <Show when={props.open}>
        <Fields
          {...(props.secret && { secret: props.secret })}
          backend={props.backend}
          onCancel={() => props.onOpenChange(false)}
          onDone={props.onDone}
        />
      </Show>
    </Dialog>
  );
}

function isExternal(backend: SecretBackend): boolean {
  return backend !== SecretBackend.BUILTIN && backend !== SecretBackend.UNSPECIFIED;
}

function Fields(props: {
  secret?: Secret;
  backend: SecretBackend;
  onCancel: () => void;
  onDone: (text: string) => void;
}): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const before = props.secret?.reference;
  const external = (): boolean => isExternal(props.backend);
  const form = createForm({
    initial: {
      name: "",
      value: "",
      path: before?.path ?? "",
      key: before?.key ?? "",
      version: before?.version ?? "",
    },
    wire: {
      name: "name",
      value: "value",
      path: "reference.path",
      key: "reference.key",
      version: "reference.version",
    },
    validate: (values) => ({
      ...(props.secret === undefined && values.name === "" && { name: "Give it a name." }),
      ...(!external() && values.value === "" && { value: "Enter the value." }),
      ...(external() && values.path === "" && { path: "Say where it is." }),
    }),
    async submit({ name, value, path, key, version }) {
      const environmentId = environment.id();
      const held = external() ? { reference: { path, key, version } } : { value };
      if (props.secret === undefined) {
        const { secret } = await clients.secrets.createSecret({ environmentId, name, ...held });
        const unread = external() && secret?.readTime === undefined;
        props.onDone(
          unread
            ? `The secret ${name} was created, but could not be read yet`
            : `The secret ${name} was created`,
        );
        return;
      }
      const { id } = props.secret;
      const { changed, pipelineNames } = await clients.secrets.updateSecret({
        environmentId,
        id,
        ...held,
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
      <Show
        when={external()}
        fallback={
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
        }
      >
        <p class="muted">{backendName(props.backend)} keeps the value. Say where it is there.</p>
        <TextField
          label={
            props.backend === SecretBackend.EXEC ? "Name that the command is asked for" : "Path"
          }
          autocomplete="off"
          spellcheck={false}
          value={form.values.path}
          onValue={(path) => form.set("path", path)}
          error={form.error("path")}
        />
        <Show when={props.backend !== SecretBackend.EXEC}>
          <TextField
            label="Key"
            hint={
              props.backend === SecretBackend.AWS_SM
                ? "Of a secret in JSON. Empty: all of it."
                : "One of the keys at this path."
            }
            autocomplete="off"
            spellcheck={false}
            value={form.values.key}
            onValue={(key) => form.set("key", key)}
            error={form.error("key")}
          />
          <TextField
            label="Version"
            hint="Empty: always the newest."
            autocomplete="off"
            value={form.values.version}
            onValue={(version) => form.set("version", version)}
            error={form.error("version")}
          />
        </Show>
      </Show>
      <FormError text={form.formError()} />
      <div class="row-buttons">
        <Button onClick={() => props.onCancel()}>Cancel</Button>
        <Button type="submit" variant="primary" loading={form.submitting()}>
          {props.secret ? (external() ? "Save reference" : "Save value") : "Create secret"}
        </Button>
      </div>
    </form>
  );
}
