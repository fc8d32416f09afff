import { createSignal, Show, type JSX } from "solid-js";

import type { CreateUserResponse } from "#gen/vectorflow/v1/user_service_pb.ts";

import { useApi } from "../state/api.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Checkbox, TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm } from "../ui/form.ts";
import { ShownOnce } from "./shown-once.tsx";

/** Creates an account, then shows its temporary password. */
export function CreateUserDialog(props: {
  open: boolean;
  onClose: () => void;
  onCreated: () => void;
}): JSX.Element {
  const [created, setCreated] = createSignal<CreateUserResponse>();
  const close = (): void => {
    setCreated(undefined);
    props.onClose();
  };
  return (
    <Dialog
      open={props.open}
      onOpenChange={(open) => !open && close()}
      title={created() ? "The account is there" : "Create an account"}
      footer={<Button onClick={close}>{created() ? "Done" : "Cancel"}</Button>}
    >
      <Show
        when={created()}
        fallback={
          <Show when={props.open}>
            <CreateForm
              onCreated={(answer) => {
                setCreated(answer);
                props.onCreated();
              }}
            />
          </Show>
        }
      >
        {(answer) => (
          <>
            <p>
              Give {answer().user?.email} this temporary password. It is not shown again, and must
              be changed at the first sign-in.
            </p>
            <ShownOnce label="Temporary password" value={answer().temporaryPassword} />
          </>
        )}
      </Show>
    </Dialog>
  );
}

function CreateForm(props: { onCreated: (answer: CreateUserResponse) => void }): JSX.Element {
  const { clients } = useApi();
  const form = createForm<{ email: string; name: string; superAdmin: boolean }>({
    initial: { email: "", name: "", superAdmin: false },
    wire: { email: "email", name: "name" },
    validate: (values) => ({
      ...(!/.@./.test(values.email) && { email: "Enter an e-mail address." }),
      ...(values.name.trim() === "" && { name: "Enter a name." }),
    }),
    async submit(values) {
      props.onCreated(await clients.users.createUser(values));
    },
  });
  return (
    <form class="narrow-form" onSubmit={form.onSubmit} novalidate>
      <TextField
        label="E-mail"
        type="email"
        autocomplete="off"
        value={form.values.email}
        onValue={(value) => form.set("email", value)}
        error={form.error("email")}
      />
      <TextField
        label="Name"
        autocomplete="off"
        value={form.values.name}
        onValue={(value) => form.set("name", value)}
        error={form.error("name")}
      />
      <Checkbox
        label="Super admin"
        hint="May do everything, in every team."
        checked={form.values.superAdmin}
        onChecked={(checked) => form.set("superAdmin", checked)}
      />
      <FormError text={form.formError()} />
      <Button type="submit" variant="primary" loading={form.submitting()}>
        Create account
      </Button>
    </form>
  );
}
