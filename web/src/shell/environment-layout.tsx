import { A, Navigate, useParams, type RouteSectionProps } from "@solidjs/router";
import { createEffect, ErrorBoundary, Match, Show, Suspense, Switch, type JSX } from "solid-js";

import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import type { Environment } from "#gen/vectorflow/v1/environment_pb.ts";

import { useReadAll } from "../state/create-read.ts";
import {
  EnvironmentProvider,
  lastEnvironment,
  rememberEnvironment,
} from "../state/environment.tsx";
import { LiveProvider } from "../state/live.tsx";
import { useSession } from "../state/session.tsx";
import { EmptyState, Skeleton } from "../ui/feedback.tsx";
import { PageHeader } from "../ui/page.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { CrashBox } from "./crash-box.tsx";
import { NotFoundPage } from "./not-found-page.tsx";
import { Shell } from "./shell.tsx";

/** Everything below /e/:env: the environment, its live picture and the shell. */
export function EnvironmentLayout(props: RouteSectionProps): JSX.Element {
  const params = useParams();
  const session = useSession();
  const read = useReadAll(EnvironmentService.method.listEnvironments, () => ({}));
  const id = (): string => params["env"] ?? "";
  const superAdmin = (): boolean => {
    const state = session.state();
    return state.kind === "signed-in" && state.user.superAdmin;
  };
  const known = (environments: readonly Environment[]): boolean =>
    environments.some((environment) => environment.id === id());
  return (
    <QueryView read={read}>
      {(answer) => (
        <Show when={known(answer().environments)} fallback={<NotFoundPage />}>
          <Show when={id()} keyed>
            {(id) => {
              createEffect(() => rememberEnvironment(id));
              return (
                <EnvironmentProvider
                  id={id}
                  environments={answer().environments}
                  superAdmin={superAdmin()}
                >
                  <LiveProvider environmentId={id} onSignedOut={session.expire}>
                    <Shell>
                      <PageFrame>{props.children}</PageFrame>
                    </Shell>
                  </LiveProvider>
                </EnvironmentProvider>
              );
            }}
          </Show>
        </Show>
      )}
    </QueryView>
  );
}

/** A page that fails or loads leaves the shell standing. */
function PageFrame(props: { children: JSX.Element }): JSX.Element {
  return (
    <ErrorBoundary fallback={(error, reset) => <CrashBox error={error} onReset={reset} />}>
      <Suspense fallback={<Skeleton rows={8} />}>{props.children}</Suspense>
    </ErrorBoundary>
  );
}

/** "/" leads to the environment that was used last, or to the first one. */
export function HomePage(): JSX.Element {
  const read = useReadAll(EnvironmentService.method.listEnvironments, () => ({}));
  return (
    <QueryView read={read}>
      {(answer) => {
        const target = (): Environment | undefined =>
          answer().environments.find(({ id }) => id === lastEnvironment()) ??
          answer().environments[0];
        return (
          <Switch>
            <Match when={target()}>
              {(environment) => (
                <Navigate href={`/e/${encodeURIComponent(environment().id)}/hosts`} />
              )}
            </Match>
            <Match when={target() === undefined}>
              <main class="page">
                <PageHeader title="No environment" />
                <EmptyState title="You are in no team yet">
                  Ask an administrator to add you to a team; its environments appear here then.{" "}
                  <A href="/settings/profile">Your profile</A>
                </EmptyState>
              </main>
            </Match>
          </Switch>
        );
      }}
    </QueryView>
  );
}
