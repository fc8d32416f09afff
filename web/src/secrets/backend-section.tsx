import { createSignal, Match, Show, Switch, type JSX } from "solid-js";

import { SecretBackend, VaultAuth } from "#gen/vectorflow/v1/secret_backend_pb.ts";
import {
  SecretBackendService,
  type GetSecretBackendResponse,
} from "#gen/vectorflow/v1/secret_backend_service_pb.ts";

import { useRead } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { useClient } from "../state/use-client.ts";
import { createAction } from "../ui/action.ts";
import { Button } from "../ui/button.tsx";
import { Notice } from "../ui/feedback.tsx";
import { Select, TextArea, TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm, type Form } from "../ui/form.ts";
import { Section } from "../ui/page.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { showToast } from "../ui/toast.tsx";
import {
  emptySettings,
  settingsOf,
  valuesOf,
  wireNames,
  type BackendValues,
} from "./backend-form.ts";

/** Where the environment keeps the values of its secrets. For admins. */
export function BackendSection(props: { onChanged: () => void }): JSX.Element {
  const environment = useEnvironment();
  const read = useRead(
    SecretBackendService.method.getSecretBackend,
    () => ({ environmentId: environment.id() }),
    { staleTime: 0 },
  );
  return (
    <Section title="Where values are kept">
      <QueryView read={read} skeletonRows={3}>
        {(answer) => (
          <Show when={answer()} keyed>
            {(stored) => (
              <BackendForm
                stored={stored}
                onSaved={() => {
                  read.refetch();
                  props.onChanged();
                }}
              />
            )}
          </Show>
        )}
      </QueryView>
    </Section>
  );
}

function BackendForm(props: {
  stored: GetSecretBackendResponse;
  onSaved: () => void;
}): JSX.Element {
  const backends = useClient(SecretBackendService);
  const environment = useEnvironment();
  const initial = props.stored;
  const form = createForm<BackendValues>({
    initial: initial.settings ? valuesOf(initial.settings) : emptySettings,
    wire: wireNames,
    async submit(values) {
      await backends.updateSecretBackend({
        environmentId: environment.id(),
        etag: initial.etag,
        settings: settingsOf(values),
        credential: values.credential,
      });
      showToast("Saved. Hosts keep the values they have until the backend gives others");
      props.onSaved();
    },
  });
  const isExternal = (): boolean => form.values.backend !== String(SecretBackend.BUILTIN);
  return (
    <form class="backend-form" onSubmit={form.onSubmit} novalidate>
      <Show when={initial.failureMessage}>
        {(message) => <Notice tone="bad">It does not answer: {message()}.</Notice>}
      </Show>
      <Select
        label="Where values are kept"
        value={form.values.backend}
        options={[
          { value: String(SecretBackend.BUILTIN), label: "Here, encrypted in the database" },
          { value: String(SecretBackend.VAULT), label: "HashiCorp Vault (KV version 2)" },
          { value: String(SecretBackend.AWS_SM), label: "AWS Secrets Manager" },
          { value: String(SecretBackend.EXEC), label: "A command on the server" },
        ]}
        onValue={(value) => form.set("backend", value)}
      />
      <Switch>
        <Match when={form.values.backend === String(SecretBackend.VAULT)}>
          <VaultFields form={form} stored={initial} />
        </Match>
        <Match when={form.values.backend === String(SecretBackend.AWS_SM)}>
          <AwsFields form={form} stored={initial} />
        </Match>
        <Match when={form.values.backend === String(SecretBackend.EXEC)}>
          <ExecFields form={form} stored={initial} />
        </Match>
      </Switch>
      <Show when={isExternal()}>
        <TextField
          label="Paths start with"
          hint="Empty: any path that the sign-in may read."
          {...bind(form, "pathPrefix")}
        />
        <TextField
          label="Read again every (seconds)"
          hint="30 to 86400. New values reach hosts then."
          inputmode="numeric"
          {...bind(form, "refreshSeconds")}
        />
        <TestBackend form={form} />
      </Show>
      <FormError text={form.formError()} />
      <Button type="submit" variant="primary" loading={form.submitting()}>
        Save
      </Button>
    </form>
  );
}

type TextName = Exclude<keyof BackendValues & string, "backend" | "vaultAuth">;

/** Binds a text field to the form. */
function bind(form: Form<BackendValues>, name: TextName) {
  return {
    get value(): string {
      return String(form.values[name]);
    },
    get error(): string | undefined {
      return form.error(name);
    },
    onValue: (value: string) => form.set(name, value),
    autocomplete: "off",
    spellcheck: false,
  };
}

interface FieldsProps {
  form: Form<BackendValues>;
  stored: GetSecretBackendResponse;
}

function Credential(props: FieldsProps & { label: string }): JSX.Element {
  return (
    <TextField
      label={props.label}
      type="password"
      hint={
        props.stored.hasCredential
          ? "One is kept. Leave this empty to keep it; a new address needs it again."
          : "It is never shown again."
      }
      {...bind(props.form, "credential")}
      autocomplete="new-password"
    />
  );
}

function VaultFields(props: FieldsProps): JSX.Element {
  const auth = (): string => props.form.values.vaultAuth;
  return (
    <>
      <TextField
        label="Address"
        hint="As in https://vault.example.com:8200"
        {...bind(props.form, "address")}
      />
      <TextField
        label="Namespace"
        hint="Only where Vault has them."
        {...bind(props.form, "namespace")}
      />
      <TextField label="Mount of the engine" hint="Empty: secret" {...bind(props.form, "mount")} />
      <Select
        label="Sign-in"
        value={props.form.values.vaultAuth}
        options={[
          { value: String(VaultAuth.TOKEN), label: "Token" },
          { value: String(VaultAuth.APPROLE), label: "AppRole" },
          { value: String(VaultAuth.KUBERNETES), label: "Kubernetes service account" },
        ]}
        onValue={(value) => props.form.set("vaultAuth", value)}
      />
      <FormError text={props.form.error("vaultAuth")} />
      <Show when={auth() !== String(VaultAuth.TOKEN)}>
        <TextField
          label={auth() === String(VaultAuth.APPROLE) ? "Role id" : "Role"}
          {...bind(props.form, "role")}
        />
        <TextField
          label="Mount of the sign-in"
          hint="Empty: its usual name"
          {...bind(props.form, "authMount")}
        />
      </Show>
      <Show when={auth() === String(VaultAuth.KUBERNETES) && !props.stored.kubernetesAllowed}>
        <Notice tone="warn">
          The server shows its service account only to the addresses in
          VECTORFLOW_VAULT_KUBERNETES_ADDRESSES, and that is empty.
        </Notice>
      </Show>
      <Show when={auth() !== String(VaultAuth.KUBERNETES)}>
        <Credential
          form={props.form}
          stored={props.stored}
          label={auth() === String(VaultAuth.APPROLE) ? "Secret id" : "Token"}
        />
      </Show>
      <CaField form={props.form} stored={props.stored} />
    </>
  );
}

function CaField(props: FieldsProps): JSX.Element {
  return (
    <TextArea
      label="Authority's certificate (PEM)"
      hint="Empty: the authorities that the server's system trusts."
      rows={3}
      {...bind(props.form, "caPem")}
    />
  );
}

function AwsFields(props: FieldsProps): JSX.Element {
  return (
    <>
      <TextField label="Region" hint="As in eu-central-1" {...bind(props.form, "region")} />
      <TextField
        label="Access key id"
        hint={
          props.stored.awsIdentityAllowed
            ? "Empty: the server's own identity"
            : "The server does not lend its own identity."
        }
        {...bind(props.form, "accessKeyId")}
      />
      <Show when={props.form.values.accessKeyId !== ""}>
        <Credential form={props.form} stored={props.stored} label="Secret access key" />
      </Show>
      <TextField
        label="Endpoint"
        hint="Empty: the region's own"
        {...bind(props.form, "endpoint")}
      />
      <CaField form={props.form} stored={props.stored} />
    </>
  );
}

function ExecFields(props: FieldsProps): JSX.Element {
  return (
    <>
      <Show
        when={props.stored.commands.length > 0}
        fallback={
          <Notice tone="warn">
            The server allows no command: its operator names them in VECTORFLOW_SECRET_COMMANDS.
          </Notice>
        }
      >
        <Select
          label="Command"
          value={props.form.values.command}
          options={[
            { value: "", label: "Choose a command" },
            ...props.stored.commands.map((name) => ({ value: name, label: name })),
          ]}
          onValue={(value) => props.form.set("command", value)}
        />
        <FormError text={props.form.error("command")} />
      </Show>
      <TextField
        label="Backend type"
        hint="With it the command is asked by version 1.1 of Vector's protocol."
        {...bind(props.form, "backendType")}
      />
      <Show when={props.form.values.backendType !== ""}>
        <TextField label="Its settings (JSON)" {...bind(props.form, "configJson")} />
      </Show>
    </>
  );
}

/** Tries what is in the fields, saved or not. */
function TestBackend(props: { form: Form<BackendValues> }): JSX.Element {
  const backends = useClient(SecretBackendService);
  const environment = useEnvironment();
  const action = createAction();
  const [path, setPath] = createSignal("");
  const [key, setKey] = createSignal("");
  const [answer, setAnswer] = createSignal<{ works: boolean; message: string }>();
  const test = async (): Promise<void> => {
    setAnswer(undefined);
    const values = { ...props.form.values };
    await action.run(async () =>
      setAnswer(
        await backends.testSecretBackend({
          environmentId: environment.id(),
          settings: settingsOf(values),
          credential: values.credential,
          ...(path() !== "" && { reference: { path: path(), key: key() } }),
        }),
      ),
    );
  };
  return (
    <fieldset class="backend-test">
      <legend>Try it</legend>
      <TextField
        label="Path to read"
        hint="Empty: only sign in. No value is shown."
        value={path()}
        onValue={setPath}
      />
      <TextField label="Key" value={key()} onValue={setKey} />
      <Button loading={action.busy()} onClick={() => void test()}>
        Test
      </Button>
      <FormError text={action.error()} />
      <Show when={answer()}>
        {(result) => (
          <Notice tone={result().works ? "ok" : "bad"}>{sentence(result().message)}</Notice>
        )}
      </Show>
    </fieldset>
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
