import { Show, type JSX } from "solid-js";

import type { Membership } from "#gen/vectorflow/v1/auth_pb.ts";

import { useApi } from "../state/api.tsx";
import { useSession } from "../state/session.tsx";
import { Button } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { createForm } from "../ui/form.ts";
import { Facts, PageHeader, Section } from "../ui/page.tsx";
import { showToast } from "../ui/toast.tsx";
import { PasswordForm } from "./password-form.tsx";
import { roleName } from "./roles.tsx";
import { SecondFactorSection } from "./second-factor-section.tsx";
import { SessionsSection } from "./sessions-section.tsx";

/** One's own account. */
export function ProfilePage(): JSX.Element {
  const session = useSession();
  return (
    <div class="page">
      <PageHeader title="Profile" status={session.user()?.email} />
      <Section title="You">
        <Facts
          facts={[
            ["E-mail", session.user()?.email],
            ["Teams", teamsOf(session.user()?.memberships ?? [])],
            ["Super admin", session.user()?.superAdmin ? "Yes" : "No"],
          ]}
        />
        <NameForm />
      </Section>
      <Show when={session.user()?.hasPassword}>
        <Section title="Password">
          <p class="muted">Changing it ends all your other sessions.</p>
          <PasswordForm
            class="narrow-form"
            currentLabel="Current password"
            onChanged={(user) => {
              session.updated(user);
              showToast("The password is changed");
            }}
          />
        </Section>
        <SecondFactorSection />
      </Show>
      <SessionsSection />
    </div>
  );
}

function teamsOf(memberships: readonly Membership[]): string {
  if (memberships.length === 0) return "None";
  return memberships.map(({ teamName, role }) => `${teamName} (${roleName(role)})`).join(", ");
}

function NameForm(): JSX.Element {
  const { clients } = useApi();
  const session = useSession();
  const form = createForm({
    initial: { name: session.user()?.name ?? "" },
    wire: { name: "name" },
    validate: (values) => ({ ...(values.name.trim() === "" && { name: "Enter your name." }) }),
    async submit(values) {
      const { user } = await clients.profile.updateProfile({ name: values.name.trim() });
      if (user) session.updated(user);
      showToast("Your name is changed");
    },
  });
  return (
    <form class="narrow-form" onSubmit={form.onSubmit} novalidate>
      <TextField
        label="Name"
        autocomplete="name"
        value={form.values.name}
        onValue={(value) => form.set("name", value)}
        error={form.error("name") ?? form.formError()}
      />
      <Button type="submit" loading={form.submitting()}>
        Save name
      </Button>
    </form>
  );
}
