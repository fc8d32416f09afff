import { A, type RouteSectionProps } from "@solidjs/router";
import ArrowLeft from "lucide-solid/icons/arrow-left";
import CircleUser from "lucide-solid/icons/circle-user";
import KeyRound from "lucide-solid/icons/key-round";
import ScrollText from "lucide-solid/icons/scroll-text";
import UserCog from "lucide-solid/icons/user-cog";
import Users from "lucide-solid/icons/users";
import { ErrorBoundary, Show, Suspense, type JSX } from "solid-js";

import { Role } from "#gen/vectorflow/v1/role_pb.ts";

import { BrandMark } from "../shell/brand-mark.tsx";
import { CrashBox } from "../shell/crash-box.tsx";
import { UserRow } from "../shell/shell.tsx";
import { useSession } from "../state/session.tsx";
import { Skeleton } from "../ui/feedback.tsx";

import "../shell/shell.css";
import "./access.css";

/** What belongs to no environment: oneself, teams, accounts. */
export function SettingsLayout(props: RouteSectionProps): JSX.Element {
  return (
    <div class="shell">
      <a href="#main" class="skip-link" target="_self">
        Skip to content
      </a>
      <header class="sidebar">
        <A href="/" class="sidebar-brand" activeClass="" inactiveClass="" end>
          <BrandMark /> <span>VectorFlow</span>
        </A>
        <SettingsNav />
        <div class="sidebar-foot">
          <UserRow />
        </div>
      </header>
      <main id="main" class="shell-main" tabIndex={-1}>
        <ErrorBoundary fallback={(error, reset) => <CrashBox error={error} onReset={reset} />}>
          <Suspense fallback={<Skeleton rows={8} />}>{props.children}</Suspense>
        </ErrorBoundary>
      </main>
    </div>
  );
}

function SettingsNav(): JSX.Element {
  const session = useSession();
  const seesAudit = (): boolean => {
    const user = session.user();
    return (
      user?.superAdmin === true ||
      user?.memberships.some(({ role }) => role === Role.ADMIN) === true
    );
  };
  return (
    <nav class="sidebar-nav settings-nav" aria-label="Settings">
      <A href="/" class="nav-link" activeClass="" end>
        <ArrowLeft size={16} aria-hidden="true" /> Back to hosts
      </A>
      <A href="/settings/profile" class="nav-link" activeClass="is-current">
        <CircleUser size={16} aria-hidden="true" /> Profile
      </A>
      <A href="/settings/teams" class="nav-link" activeClass="is-current">
        <Users size={16} aria-hidden="true" /> Teams
      </A>
      <Show when={seesAudit()}>
        <A href="/settings/audit" class="nav-link" activeClass="is-current">
          <ScrollText size={16} aria-hidden="true" /> Audit
        </A>
      </Show>
      <Show when={session.user()?.superAdmin}>
        <A href="/settings/users" class="nav-link" activeClass="is-current">
          <UserCog size={16} aria-hidden="true" /> Accounts
        </A>
        <A href="/settings/authentication" class="nav-link" activeClass="is-current">
          <KeyRound size={16} aria-hidden="true" /> Authentication
        </A>
      </Show>
    </nav>
  );
}
