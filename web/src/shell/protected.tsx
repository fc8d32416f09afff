import { Navigate, useLocation, type RouteSectionProps } from "@solidjs/router";
import { lazy, Match, Switch, type JSX } from "solid-js";

import { useSession, type SessionState } from "../state/session.tsx";
import { loginPath } from "../auth/return-path.ts";
import { ErrorBox, Skeleton } from "../ui/feedback.tsx";

const ForcedPasswordPage = lazy(async () => ({
  default: (await import("../auth/forced-password-page.tsx")).ForcedPasswordPage,
}));
const ForcedFactorPage = lazy(async () => ({
  default: (await import("../auth/forced-factor-page.tsx")).ForcedFactorPage,
}));

/** Lets only people in who are signed in; others come back here after that. */
export function Protected(props: RouteSectionProps): JSX.Element {
  const session = useSession();
  const location = useLocation();
  const failure = (): Extract<SessionState, { kind: "failed" }> | undefined => {
    const state = session.state();
    return state.kind === "failed" ? state : undefined;
  };
  return (
    <Switch fallback={<Skeleton />}>
      <Match when={session.user()?.mustChangePassword}>
        <ForcedPasswordPage />
      </Match>
      <Match when={session.user()?.mustSetUpSecondFactor}>
        <ForcedFactorPage />
      </Match>
      <Match when={session.state().kind === "signed-in"}>{props.children}</Match>
      <Match when={session.state().kind === "signed-out"}>
        <Navigate href={loginPath(location)} />
      </Match>
      <Match when={failure()}>
        {(state) => (
          <main class="page">
            <ErrorBox
              title="VectorFlow could not be loaded."
              error={state().error}
              onRetry={session.retry}
            />
          </main>
        )}
      </Match>
    </Switch>
  );
}
