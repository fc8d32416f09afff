import { createMemo, createSignal, For, onCleanup, Show, untrack, type JSX } from "solid-js";

import type { CreateEnrollmentTokenResponse } from "#gen/vectorflow/v1/environment_service_pb.ts";
import type { Node } from "#gen/vectorflow/v1/node_pb.ts";

import { toUiError, type UiError } from "../api/errors.ts";
import { millisOf } from "../lib/time.ts";
import { useApi } from "../state/api.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { useLive } from "../state/live.tsx";
import { Button, LinkButton } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { ErrorBox, Notice } from "../ui/feedback.tsx";
import { SimulatedBadge } from "../ui/mark.tsx";
import { PageHeader, Section } from "../ui/page.tsx";
import { osName } from "./host-columns.tsx";
import { RefusedEnrollments } from "./refused-enrollments.tsx";

import "./fleet.css";

/** How long somebody waits before we tell what usually goes wrong. */
const helpAfterMs = 60_000;

/** One screen: get the command, run it, see the host arrive. */
export function AddHostPage(): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const [token, setToken] = createSignal<CreateEnrollmentTokenResponse>();
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<UiError>();

  const createCommand = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      const environmentId = environment.id();
      setToken(await clients.environments.createEnrollmentToken({ environmentId }));
    } catch (thrown) {
      setError(toUiError(thrown));
    } finally {
      setBusy(false);
    }
  };
  const hint = (): string => environment.environment()?.enrollmentTokenHint ?? "";

  return (
    <div class="page">
      <PageHeader title="Add a host" parent={{ label: "Hosts", href: environment.path("hosts") }} />
      <Section title="1. Get the command">
        <Show
          when={token()}
          fallback={
            <div class="command">
              <p class="muted">
                The command starts the agent and enrols the machine in{" "}
                <strong>{environment.environment()?.name}</strong>. It carries a token, which is
                shown once and works for any number of hosts.
              </p>
              <Show when={hint() !== ""}>
                <Notice tone="warn">
                  There is a token already (<code>{hint()}…</code>). A new one takes its place;
                  hosts that are enrolled stay so.
                </Notice>
              </Show>
              <div>
                <Button
                  variant="primary"
                  loading={busy()}
                  disabledReason={
                    environment.canAdmin() ? undefined : "Only admins of the team can add hosts"
                  }
                  onClick={() => void createCommand()}
                >
                  Create enrol command
                </Button>
              </div>
            </div>
          }
        >
          {(created) => <Command created={created()} />}
        </Show>
        <Show when={error()}>
          {(problem) => <ErrorBox title="The command could not be created." error={problem()} />}
        </Show>
      </Section>
      <Section title="2. Wait for the host">
        <Show
          when={token()}
          fallback={<p class="muted">It appears here as soon as its agent connects.</p>}
        >
          <Arrivals agentUrl={token()?.agentUrl ?? ""} />
        </Show>
      </Section>
      <RefusedEnrollments />
    </div>
  );
}

function Command(props: { created: CreateEnrollmentTokenResponse }): JSX.Element {
  return (
    <div class="command">
      <p class="muted">Run this on the machine. The token in it is not shown again.</p>
      <pre aria-label="Enrol command">{props.created.enrollCommand}</pre>
      <div>
        <CopyButton text={props.created.enrollCommand} label="Copy command" />
      </div>
    </div>
  );
}

/** Watches for hosts that were not there, or enrolled again, since this was mounted. */
function Arrivals(props: { agentUrl: string }): JSX.Element {
  const live = useLive();
  const environment = useEnvironment();
  const known = new Set(untrack(() => Object.keys(live.data.hosts)));
  const openedAt = untrack(live.now);
  const [late, setLate] = createSignal(false);
  const timer = setTimeout(() => setLate(true), helpAfterMs);
  onCleanup(() => clearTimeout(timer));
  const arrived = createMemo((): Node[] =>
    Object.values(live.data.hosts).filter(
      (host) => !known.has(host.id) || (millisOf(host.enrollTime) ?? 0) >= openedAt,
    ),
  );
  return (
    <div class="command" aria-live="polite">
      <For each={arrived()}>
        {(host) => (
          <div class="waiting" data-arrived="">
            <strong>{host.name}</strong>
            <Show when={host.simulated}>
              <SimulatedBadge />
            </Show>
            <span class="muted">
              is enrolled · Vector {host.vectorVersion || "not found"} · {osName(host)}
            </span>
            <LinkButton href={environment.path("hosts", host.id)} variant="primary">
              Open
            </LinkButton>
          </div>
        )}
      </For>
      <div class="waiting">
        <span class="waiting-dot" aria-hidden="true" />
        {arrived().length === 0 ? "Waiting for the host to connect…" : "Waiting for more hosts…"}
      </div>
      <Show when={late() && arrived().length === 0}>
        <NothingCame agentUrl={props.agentUrl} />
      </Show>
    </div>
  );
}

function NothingCame(props: { agentUrl: string }): JSX.Element {
  return (
    <Notice tone="info">
      <strong>Nothing has come yet.</strong> The usual causes:
      <ol class="help-list">
        <li>
          The machine does not reach this server. Try <code>curl -v {props.agentUrl}</code> there.
        </li>
        <li>
          The agent does not run. Look at what it printed; as a service it writes to{" "}
          <code>journalctl -u vectorflow-agent</code>.
        </li>
        <li>The token was replaced by a newer one. Create the command again.</li>
      </ol>
    </Notice>
  );
}
