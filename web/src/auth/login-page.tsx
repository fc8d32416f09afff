import { Navigate, useNavigate, useSearchParams } from "@solidjs/router";
import { createSignal, Match, Show, Switch, type JSX } from "solid-js";

import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";

import { toUiError } from "../api/errors.ts";
import { useApi } from "../state/api.tsx";
import { useRead } from "../state/create-read.ts";
import { useSession } from "../state/session.tsx";
import { Button } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { Notice } from "../ui/feedback.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm } from "../ui/form.ts";
import { AuthCard } from "./auth-card.tsx";
import { safeReturnPath } from "./return-path.ts";
import { SignOnButton, signOnProblem } from "./sign-on.tsx";

export function LoginPage(): JSX.Element {
  const session = useSession();
  const [params] = useSearchParams();
  const setup = useRead(AuthService.method.getSetupState, () => ({}), { staleTime: 0 });
  const target = (): string => safeReturnPath(params["return"]);
  return (
    <Switch
      fallback={
        <SignIn
          target={target()}
          returning={target() !== "/"}
          provider={setup.data()?.singleSignOnName ?? ""}
          problem={signOnProblem(params["error"])}
        />
      }
    >
      <Match when={session.state().kind === "signed-in"}>
        <Navigate href={target()} />
      </Match>
      <Match when={setup.data()?.setupRequired}>
        <Navigate href="/setup" />
      </Match>
    </Switch>
  );
}

function SignIn(props: {
  target: string;
  returning: boolean;
  /** The provider's name; empty when there is none. */
  provider: string;
  problem: string | undefined;
}): JSX.Element {
  const { clients } = useApi();
  const session = useSession();
  const navigate = useNavigate();
  const [asksCode, setAsksCode] = createSignal(false);
  const form = createForm({
    initial: { email: "", password: "", code: "" },
    wire: { email: "email", password: "password" },
    validate: (values) => ({
      ...(values.email.trim() === "" && { email: "Enter your e-mail address." }),
      ...(values.password === "" && { password: "Enter your password." }),
      ...(asksCode() && values.code.trim() === "" && { code: "Enter the code." }),
    }),
    async submit(values) {
      const { email, password, code } = values;
      try {
        const { user } = await clients.auth.login({ email: email.trim(), password, code });
        if (!user) return;
        const { target } = props;
        session.signedIn(user);
        navigate(target, { replace: true });
      } catch (thrown) {
        // The password was right, and that is half of it.
        if (toUiError(thrown).reason !== "second_factor_needed") throw thrown;
        setAsksCode(true);
      }
    },
  });
  return (
    <AuthCard title="Sign in">
      <Show when={props.returning}>
        <Notice tone="info">Sign in to go on where you were.</Notice>
      </Show>
      <Show when={props.problem}>{(problem) => <Notice tone="bad">{problem()}</Notice>}</Show>
      <SignOnButton name={props.provider} target={props.target} />
      <form class="auth-form" onSubmit={form.onSubmit} novalidate>
        <TextField
          label="E-mail"
          type="email"
          name="email"
          autocomplete="username"
          autofocus
          value={form.values.email}
          onValue={(value) => form.set("email", value)}
          error={form.error("email")}
        />
        <TextField
          label="Password"
          type="password"
          name="password"
          autocomplete="current-password"
          value={form.values.password}
          onValue={(value) => form.set("password", value)}
          error={form.error("password")}
        />
        <Show when={asksCode()}>
          <TextField
            label="Code"
            hint="Of your authenticator app, or a backup code."
            name="code"
            autocomplete="one-time-code"
            autofocus
            ref={(field) => queueMicrotask(() => field.focus())}
            value={form.values.code}
            onValue={(value) => form.set("code", value)}
            error={form.error("code")}
          />
        </Show>
        <FormError text={form.formError()} />
        <Button type="submit" variant="primary" loading={form.submitting()}>
          Sign in
        </Button>
      </form>
    </AuthCard>
  );
}
