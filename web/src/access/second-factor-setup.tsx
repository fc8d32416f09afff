import { createSignal, For, lazy, Show, Suspense, type JSX } from "solid-js";

import type { CurrentUser } from "#gen/vectorflow/v1/auth_pb.ts";
import type { BeginSecondFactorResponse } from "#gen/vectorflow/v1/profile_service_pb.ts";

import { useApi } from "../state/api.tsx";
import { Button } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { TextField } from "../ui/field.tsx";
import { createForm } from "../ui/form.ts";

import "./second-factor.css";

const QrCode = lazy(async () => ({ default: (await import("./qr-code.tsx")).QrCode }));

/** Password, then QR code and first code, then the backup codes. */
export function SecondFactorSetup(props: { onDone: (user: CurrentUser) => void }): JSX.Element {
  const [begun, setBegun] = createSignal<BeginSecondFactorResponse>();
  const [done, setDone] = createSignal<{ user: CurrentUser; codes: readonly string[] }>();
  return (
    <Show
      when={done()}
      fallback={
        <Show when={begun()} fallback={<PasswordStep onBegun={setBegun} />}>
          {(answer) => <CodeStep begun={answer()} onDone={setDone} />}
        </Show>
      }
    >
      {(result) => (
        <div class="second-factor">
          <p>
            Keep these backup codes where you keep passwords. Each works once, instead of the app,
            and they are not shown again.
          </p>
          <BackupCodes codes={result().codes} />
          <div>
            <Button variant="primary" onClick={() => props.onDone(result().user)}>
              I have kept them
            </Button>
          </div>
        </div>
      )}
    </Show>
  );
}

/** The codes for the day that the phone is lost. */
export function BackupCodes(props: { codes: readonly string[] }): JSX.Element {
  return (
    <>
      <ul class="backup-codes" aria-label="Backup codes">
        <For each={props.codes}>
          {(code) => (
            <li>
              <code>{code}</code>
            </li>
          )}
        </For>
      </ul>
      <div>
        <CopyButton text={props.codes.join("\n")} label="Copy all" />
      </div>
    </>
  );
}

function PasswordStep(props: {
  onBegun: (answer: BeginSecondFactorResponse) => void;
}): JSX.Element {
  const { clients } = useApi();
  const form = createForm({
    initial: { password: "" },
    wire: { password: "current_password" },
    validate: (values) => ({ ...(values.password === "" && { password: "Enter it." }) }),
    async submit(values) {
      props.onBegun(await clients.profile.beginSecondFactor({ currentPassword: values.password }));
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
        error={form.error("password") ?? form.formError()}
      />
      <Button type="submit" variant="primary" loading={form.submitting()}>
        Set up an authenticator app
      </Button>
    </form>
  );
}

function CodeStep(props: {
  begun: BeginSecondFactorResponse;
  onDone: (result: { user: CurrentUser; codes: readonly string[] }) => void;
}): JSX.Element {
  const { clients } = useApi();
  const form = createForm({
    initial: { code: "" },
    wire: { code: "code" },
    validate: (values) => ({
      ...(!/^\d{6}$/.test(values.code.replaceAll(" ", "")) && { code: "Enter the six digits." }),
    }),
    async submit(values) {
      const answer = await clients.profile.confirmSecondFactor({ code: values.code });
      if (answer.user) props.onDone({ user: answer.user, codes: answer.backupCodes });
    },
  });
  return (
    <form class="second-factor" onSubmit={form.onSubmit} novalidate>
      <p>Scan this with an authenticator app, then enter the code that it shows.</p>
      <Suspense fallback={<div class="qr-code" />}>
        <QrCode text={props.begun.otpauthUri} label="QR code for the authenticator app" />
      </Suspense>
      <details>
        <summary>The app cannot scan</summary>
        <p>Enter this key by hand:</p>
        <code class="totp-secret">{props.begun.secret.match(/.{1,4}/g)?.join(" ")}</code>
      </details>
      <TextField
        label="Code"
        inputmode="numeric"
        autocomplete="one-time-code"
        value={form.values.code}
        onValue={(value) => form.set("code", value)}
        error={form.error("code") ?? form.formError()}
      />
      <div>
        <Button type="submit" variant="primary" loading={form.submitting()}>
          Turn it on
        </Button>
      </div>
    </form>
  );
}
