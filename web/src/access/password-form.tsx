import { type JSX } from "solid-js";

import type { CurrentUser } from "#gen/vectorflow/v1/auth_pb.ts";

import { useApi } from "../state/api.tsx";
import { Button } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm } from "../ui/form.ts";

const minPassword = 8;

/** Replaces one's own password. */
export function PasswordForm(props: {
  class: string;
  /** The label of the field for the old password. */
  currentLabel: string;
  onChanged: (user: CurrentUser) => void;
}): JSX.Element {
  const { clients } = useApi();
  const form = createForm({
    initial: { current: "", next: "", repeat: "" },
    wire: { current: "current_password", next: "new_password" },
    validate: (values) => ({
      ...(values.current === "" && { current: "Enter it." }),
      ...(values.next.length < minPassword && { next: `Use at least ${minPassword} characters.` }),
      ...(values.repeat !== values.next && { repeat: "This is not the same." }),
    }),
    async submit(values) {
      const { user } = await clients.profile.changePassword({
        currentPassword: values.current,
        newPassword: values.next,
      });
      form.set("current", "");
      form.set("next", "");
      form.set("repeat", "");
      if (user) props.onChanged(user);
    },
  });
  const field = (name: "current" | "next" | "repeat") => ({
    type: "password",
    get value(): string {
      return form.values[name];
    },
    get error(): string | undefined {
      return form.error(name);
    },
    onValue: (value: string) => form.set(name, value),
  });
  return (
    <form class={props.class} onSubmit={form.onSubmit} novalidate>
      <TextField label={props.currentLabel} autocomplete="current-password" {...field("current")} />
      <TextField
        label="New password"
        autocomplete="new-password"
        hint={`At least ${minPassword} characters.`}
        {...field("next")}
      />
      <TextField label="New password again" autocomplete="new-password" {...field("repeat")} />
      <FormError text={form.formError()} />
      <Button type="submit" variant="primary" loading={form.submitting()}>
        Change password
      </Button>
    </form>
  );
}
