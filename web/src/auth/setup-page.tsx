import { useNavigate, useSearchParams } from "@solidjs/router";
import { createSignal, Match, Show, Switch, type JSX } from "solid-js";

import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";

import { useApi } from "../state/api.tsx";
import { useRead } from "../state/create-read.ts";
import { useSession } from "../state/session.tsx";
import { Button, LinkButton } from "../ui/button.tsx";
import { ErrorBox, Skeleton } from "../ui/feedback.tsx";
import { Checkbox, TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm, type Form } from "../ui/form.ts";
import { AuthCard } from "./auth-card.tsx";

const minPassword = 8;

/** The first run: one person, one team, one environment. */
export function SetupPage(): JSX.Element {
  const setup = useRead(AuthService.method.getSetupState, () => ({}), { staleTime: Infinity });
  const [done, setDone] = createSignal(false);
  return (
    <Switch fallback={<Skeleton />}>
      <Match when={setup.error()}>
        {(error) => (
          <AuthCard title="Set up VectorFlow">
            <ErrorBox error={error()} onRetry={setup.refetch} />
          </AuthCard>
        )}
      </Match>
      <Match when={setup.data()?.setupRequired === false && !done()}>
        <AuthCard title="VectorFlow is set up" lead="The first run has been done already.">
          <LinkButton href="/login" variant="primary">
            Sign in
          </LinkButton>
        </AuthCard>
      </Match>
      <Match when={setup.data()}>
        <SetupForm onDone={() => setDone(true)} />
      </Match>
    </Switch>
  );
}

interface SetupValues extends Record<string, string | boolean> {
  token: string;
  email: string;
  name: string;
  password: string;
  team: string;
  environment: string;
  demo: boolean;
}

function SetupForm(props: { onDone: () => void }): JSX.Element {
  const { clients } = useApi();
  const session = useSession();
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const tokenInAddress = typeof params["token"] === "string" ? params["token"] : "";
  const form = createForm<SetupValues>({
    initial: {
      token: tokenInAddress,
      email: "",
      name: "",
      password: "",
      team: "My team",
      environment: "Production",
      demo: true,
    },
    wire: {
      token: "setup_token",
      email: "email",
      name: "name",
      password: "password",
      team: "team_name",
      environment: "environment_name",
    },
    validate: (values) => ({
      ...(values.token.trim() === "" && { token: "Copy it from the server's log." }),
      ...(!/.@./.test(values.email) && { email: "Enter an e-mail address." }),
      ...(values.name.trim() === "" && { name: "Enter your name." }),
      ...(values.password.length < minPassword && {
        password: `Use at least ${minPassword} characters.`,
      }),
      ...(values.team.trim() === "" && { team: "Give the team a name." }),
      ...(values.environment.trim() === "" && { environment: "Give the environment a name." }),
    }),
    async submit(values) {
      const answer = await clients.auth.completeSetup({
        setupToken: values.token.trim(),
        email: values.email.trim(),
        name: values.name.trim(),
        password: values.password,
        teamName: values.team.trim(),
        environmentName: values.environment.trim(),
        createDemoPipeline: values.demo,
      });
      if (!answer.user) return;
      props.onDone();
      session.signedIn(answer.user);
      const base = `/e/${encodeURIComponent(answer.environmentId)}`;
      navigate(
        answer.demoPipelineId === ""
          ? `${base}/hosts`
          : `${base}/pipelines/${encodeURIComponent(answer.demoPipelineId)}`,
        { replace: true },
      );
    },
  });
  return (
    <AuthCard
      title="Set up VectorFlow"
      lead="This happens once. You become the first administrator."
    >
      <SetupFields form={form} askToken={tokenInAddress === ""} />
    </AuthCard>
  );
}

function SetupFields(props: { form: Form<SetupValues>; askToken: boolean }): JSX.Element {
  const field = (name: Exclude<keyof SetupValues & string, "demo">) => ({
    get value(): string {
      return String(props.form.values[name]);
    },
    get error(): string | undefined {
      return props.form.error(name);
    },
    onValue: (value: string) => props.form.set(name, value),
  });
  return (
    <form class="auth-form" onSubmit={(event) => props.form.onSubmit(event)} novalidate>
      <Show
        when={props.askToken}
        fallback={
          <Show when={props.form.error("token")}>
            <p role="alert" class="dialog-error">
              The setup token: {props.form.error("token")}
            </p>
          </Show>
        }
      >
        <TextField
          label="Setup token"
          hint="The server wrote it to its log when it started."
          autocomplete="off"
          {...field("token")}
        />
      </Show>
      <TextField
        label="E-mail"
        type="email"
        autocomplete="username"
        autofocus
        {...field("email")}
      />
      <TextField label="Name" autocomplete="name" {...field("name")} />
      <TextField
        label="Password"
        type="password"
        autocomplete="new-password"
        hint={`At least ${minPassword} characters.`}
        {...field("password")}
      />
      <div class="auth-pair">
        <TextField label="Team" autocomplete="off" {...field("team")} />
        <TextField label="Environment" autocomplete="off" {...field("environment")} />
      </div>
      <Checkbox
        label="Create a demo pipeline"
        hint="Made-up events, so that there is something to see at once."
        checked={props.form.values.demo}
        onChecked={(checked) => props.form.set("demo", checked)}
      />
      <FormError text={props.form.formError()} />
      <Button type="submit" variant="primary" loading={props.form.submitting()}>
        Create account
      </Button>
    </form>
  );
}
