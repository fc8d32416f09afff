import { A } from "@solidjs/router";
import Braces from "lucide-solid/icons/braces";
import KeyRound from "lucide-solid/icons/key-round";
import LogOut from "lucide-solid/icons/log-out";
import Server from "lucide-solid/icons/server";
import Settings from "lucide-solid/icons/settings";
import Workflow from "lucide-solid/icons/workflow";
import { Show, type JSX } from "solid-js";

import { useEnvironment } from "../state/environment.tsx";
import { useLive } from "../state/live.tsx";
import { useSession } from "../state/session.tsx";
import { createTheme, type Theme } from "../state/theme.ts";
import { Button } from "../ui/button.tsx";
import { ErrorBox } from "../ui/feedback.tsx";
import { Select } from "../ui/field.tsx";
import { showToast } from "../ui/toast.tsx";
import { toUiError } from "../api/errors.ts";
import { BrandMark } from "./brand-mark.tsx";
import { ConnectionChip } from "./connection-chip.tsx";
import { EnvironmentSwitch } from "./environment-switch.tsx";

import "./shell.css";

/** What surrounds every page of an environment. */
export function Shell(props: { children: JSX.Element }): JSX.Element {
  const live = useLive();
  const refused = (): { message: string } | undefined => {
    const status = live.status();
    return status.kind === "refused" ? status.error : undefined;
  };
  return (
    <div class="shell">
      <a href="#main" class="skip-link" target="_self">
        Skip to content
      </a>
      <Sidebar />
      <main id="main" class="shell-main" tabIndex={-1}>
        <Show when={refused()}>
          {(error) => <ErrorBox title="There is no live data." error={error()} />}
        </Show>
        {props.children}
      </main>
    </div>
  );
}

function Sidebar(): JSX.Element {
  const environment = useEnvironment();
  return (
    <header class="sidebar">
      <A href={environment.path("hosts")} class="sidebar-brand" activeClass="" inactiveClass="">
        <BrandMark /> <span>VectorFlow</span>
      </A>
      <EnvironmentSwitch />
      <nav class="sidebar-nav" aria-label="Main">
        <A href={environment.path("hosts")} class="nav-link" activeClass="is-current">
          <Server size={16} aria-hidden="true" /> Hosts
        </A>
        <A href={environment.path("pipelines")} class="nav-link" activeClass="is-current">
          <Workflow size={16} aria-hidden="true" /> Pipelines
        </A>
        <A href={environment.path("secrets")} class="nav-link" activeClass="is-current">
          <KeyRound size={16} aria-hidden="true" /> Secrets
        </A>
        <A href={environment.path("variables")} class="nav-link" activeClass="is-current">
          <Braces size={16} aria-hidden="true" /> Variables
        </A>
        <A href="/settings/teams" class="nav-link" activeClass="is-current">
          <Settings size={16} aria-hidden="true" /> Settings
        </A>
      </nav>
      <div class="sidebar-foot">
        <ConnectionChip />
        <ThemeSwitch />
        <UserRow />
      </div>
    </header>
  );
}

const themes: readonly { readonly value: Theme; readonly label: string }[] = [
  { value: "system", label: "System theme" },
  { value: "light", label: "Light theme" },
  { value: "dark", label: "Dark theme" },
];

function ThemeSwitch(): JSX.Element {
  const { theme, setTheme } = createTheme();
  return <Select label="Theme" value={theme()} options={themes} onValue={setTheme} />;
}

/** Who is signed in: leads to the settings, and out. */
export function UserRow(): JSX.Element {
  const session = useSession();
  const { user } = session;
  const signOut = async (): Promise<void> => {
    try {
      await session.signOut();
    } catch (thrown) {
      showToast(toUiError(thrown).message, "bad");
    }
  };
  return (
    <div class="user">
      <span class="user-initials" aria-hidden="true">
        {initials(user()?.name ?? "")}
      </span>
      <A href="/settings/profile" class="user-name" title={user()?.email}>
        {user()?.name}
      </A>
      <Button
        variant="ghost"
        square
        aria-label="Sign out"
        title="Sign out"
        onClick={() => void signOut()}
      >
        <LogOut size={15} aria-hidden="true" />
      </Button>
    </div>
  );
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  return [words[0], words.length > 1 ? words.at(-1) : undefined]
    .map((word) => word?.charAt(0).toUpperCase() ?? "")
    .join("");
}
