import type { Transport } from "@connectrpc/connect";
import { Router, type RouteSectionProps } from "@solidjs/router";
import { createSignal, ErrorBoundary, Suspense, type Component, type JSX } from "solid-js";

import type { Clock } from "./lib/clock.ts";
import { AppRoutes } from "./routes.tsx";
import { CrashBox } from "./shell/crash-box.tsx";
import { ApiProvider } from "./state/api.tsx";
import { SessionProvider } from "./state/session.tsx";
import { Skeleton } from "./ui/feedback.tsx";
import { ToastRegion } from "./ui/toast.tsx";

import "./ui/base.css";

/** The client: providers around the routes. Tests bring their own transport and router. */
export function App(props: {
  transport: Transport;
  clock?: Clock;
  router?: Component<{ root: Component<RouteSectionProps>; children: JSX.Element }>;
}): JSX.Element {
  const [expired, setExpired] = createSignal(false);
  const RouterOf = props.router ?? Router;
  return (
    <ApiProvider
      transport={props.transport}
      {...(props.clock && { clock: props.clock })}
      onSignedOut={() => setExpired(true)}
    >
      <SessionProvider expired={expired} setExpired={setExpired}>
        <RouterOf root={Root}>
          <AppRoutes />
        </RouterOf>
      </SessionProvider>
    </ApiProvider>
  );
}

function Root(props: RouteSectionProps): JSX.Element {
  return (
    <ErrorBoundary fallback={(error, reset) => <CrashBox error={error} onReset={reset} />}>
      <Suspense fallback={<Skeleton />}>{props.children}</Suspense>
      <ToastRegion />
    </ErrorBoundary>
  );
}
