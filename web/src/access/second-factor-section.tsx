import { createSignal, Match, Show, Switch, type JSX } from "solid-js";

import { useApi } from "../state/api.tsx";
import { useSession } from "../state/session.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { createForm } from "../ui/form.ts";
import { StateMark } from "../ui/mark.tsx";
import { Section } from "../ui/page.tsx";
import { showToast } from "../ui/toast.tsx";
import { BackupCodes, SecondFactorSetup } from "./second-factor-setup.tsx";

/** The second factor of one's own account. */
export function SecondFactorSection(): JSX.Element {
  const session = useSession();
  const [asking, setAsking] = createSignal<"codes" | "disable">();
  const left = (): number => session.user()?.backupCodesLeft ?? 0;
  return (
    <Section title="Second factor">
      <Show
        when={session.user()?.secondFactor}
        fallback={
          <div class="second-factor">
            <p class="muted">With an authenticator app, a stolen password alone opens nothing.</p>
            <SecondFactorSetup
              onDone={(user) => {
                session.updated(user);
                showToast("The second factor is on");
              }}
            />
          </div>
        }
      >
        <div class="second-factor">
          <StateMark tone="ok">On</StateMark>
          <p class="muted">
            {left() === 1 ? "1 backup code is left." : `${left()} backup codes are left.`}
          </p>
          <div class="filter-row">
            <Button onClick={() => setAsking("codes")}>New backup codes</Button>
            <Button onClick={() => setAsking("disable")}>Turn off</Button>
          </div>
        </div>
        <Dialog
          open={asking() !== undefined}
          onOpenChange={(open) => !open && setAsking(undefined)}
          title={asking() === "codes" ? "New backup codes" : "Turn the second factor off"}
        >
          <Switch>
            <Match when={asking() === "codes"}>
              <NewCodes />
            </Match>
            <Match when={asking() === "disable"}>
              <DisableForm onDone={() => setAsking(undefined)} />
            </Match>
          </Switch>
        </Dialog>
      </Show>
    </Section>
  );
}

function NewCodes(): JSX.Element {
  const { clients } = useApi();
  const [codes, setCodes] = createSignal<readonly string[]>();
  const form = createForm({
    initial: { code: "" },
    wire: { code: "code" },
    async submit(values) {
      setCodes((await clients.profile.createBackupCodes(values)).backupCodes);
    },
  });
  return (
    <Show
      when={codes()}
      fallback={
        <form class="narrow-form" onSubmit={form.onSubmit} novalidate>
          <p class="muted">The ones before stop working.</p>
          <TextField
            label="Code of the app"
            autocomplete="one-time-code"
            value={form.values.code}
            onValue={(value) => form.set("code", value)}
            error={form.error("code") ?? form.formError()}
          />
          <Button type="submit" variant="primary" loading={form.submitting()}>
            Create them
          </Button>
        </form>
      }
    >
      {(made) => <BackupCodes codes={made()} />}
    </Show>
  );
}

function DisableForm(props: { onDone: () => void }): JSX.Element {
  const { clients } = useApi();
  const session = useSession();
  const form = createForm({
    initial: { password: "", code: "" },
    wire: { password: "current_password", code: "code" },
    async submit(values) {
      const { user } = await clients.profile.disableSecondFactor({
        currentPassword: values.password,
        code: values.code,
      });
      if (user) session.updated(user);
      props.onDone();
      showToast("The second factor is off");
    },
  });
  return (
    <form class="narrow-form" onSubmit={form.onSubmit} novalidate>
      <TextField
        label="Your password"
        type="password"
        autocomplete="current-password"
        value={form.values.password}
        onValue={(value) => form.set("password", value)}
        error={form.error("password")}
      />
      <TextField
        label="Code of the app, or a backup code"
        autocomplete="one-time-code"
        value={form.values.code}
        onValue={(value) => form.set("code", value)}
        error={form.error("code") ?? form.formError()}
      />
      <Button type="submit" variant="danger" loading={form.submitting()}>
        Turn it off
      </Button>
    </form>
  );
}
