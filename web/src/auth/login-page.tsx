import { Navigate, useNavigate, useSearchParams } from "@solidjs/router";
import { Match, Show, Switch, type JSX } from "solid-js";

import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";

import { useApi } from "../state/api.tsx";
import { useRead } from "../state/create-read.ts";
import { useSession } from "../state/session.tsx";
import { Button } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { Notice } from "../ui/feedback.tsx";
import { createForm } from "../ui/form.ts";
import { AuthCard } from "./auth-card.tsx";
import { safeReturnPath } from "./return-path.ts";

export function LoginPage(): JSX.Element {
  const session = useSession();
  const [params] = useSearchParams();
  const setup = useRead(AuthService.method.getSetupState, () => ({}), { staleTime: 0 });
  const target = (): string => safeReturnPath(params["return"]);
  return (
    <Switch fallback={<SignIn target={target()} returning={target() !== "/"} />}>
      <Match when={session.state().kind === "signed-in"}>
        <Navigate href={target()} />
      </Match>
      <Match when={setup.data()?.setupRequired}>
        <Navigate href="/setup" />
      </Match>
    </Switch>
  );
}

function SignIn(props: { target: string; returning: boolean }): JSX.Element {
  const { clients } = useApi();
  const session = useSession();
  const navigate = useNavigate();
  const form = createForm({
    initial: { email: "", password: "" },
    wire: { email: "email", password: "password" },
    validate: (values) => ({
      ...(values.email.trim() === "" && { email: "Enter your e-mail address." }),
      ...(values.password === "" && { password: "Enter your password." }),
    }),
    async submit(values) {
      const { user } = await clients.auth.login({
        email: values.email.trim(),
        password: values.password,
      });
      if (!user) return;
      const { target } = props;
      session.signedIn(user);
      navigate(target, { replace: true });
    },
  });
  return (
    <AuthCard title="Sign in">
      <Show when={props.returning}>
        <Notice tone="info">Sign in to go on where you were.</Notice>
      </Show>
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
        <Show when={form.formError()}>
          <p role="alert" class="dialog-error">
            {form.formError()}
          </p>
        </Show>
        <Button type="submit" variant="primary" loading={form.submitting()}>
          Sign in
        </Button>
      </form>
    </AuthCard>
  );
}
