import { useParams, useSearchParams } from "@solidjs/router";
import { lazy, Match, Show, Switch, type JSX } from "solid-js";

import type { Node } from "#gen/vectorflow/v1/node_pb.ts";

import { useEnvironment } from "../state/environment.tsx";
import { useLive } from "../state/live.tsx";
import { LinkButton } from "../ui/button.tsx";
import { EmptyState, Notice, Skeleton } from "../ui/feedback.tsx";
import { SimulatedBadge, StateMark } from "../ui/mark.tsx";
import { PageHeader, TabNav } from "../ui/page.tsx";
import { HostActions } from "./host-actions.tsx";
import { HostOverview } from "./host-overview.tsx";
import { HostPipelines } from "./host-pipelines.tsx";
import { hostState } from "./host-state.ts";

import "./fleet.css";

const HostLogs = lazy(async () => ({ default: (await import("../logs/host-logs.tsx")).HostLogs }));

/** One host: how it is, what runs on it, what it says. */
export function HostPage(): JSX.Element {
  const params = useParams();
  const environment = useEnvironment();
  const live = useLive();
  const id = (): string => params["id"] ?? "";
  return (
    <div class="page">
      <Switch>
        <Match when={live.host(id())}>{(host) => <HostBody host={host()} />}</Match>
        <Match when={!live.data.synced}>
          <Skeleton rows={8} />
        </Match>
        <Match when={live.data.synced}>
          <EmptyState
            title="There is no such host"
            actions={<LinkButton href={environment.path("hosts")}>All hosts</LinkButton>}
          >
            It may have been removed, or it belongs to another environment.
          </EmptyState>
        </Match>
      </Switch>
    </div>
  );
}

function HostBody(props: { host: Node }): JSX.Element {
  const environment = useEnvironment();
  const [search] = useSearchParams();
  const tab = (): string => String(search["tab"] ?? "overview");
  const state = (): ReturnType<typeof hostState> => hostState(props.host);
  return (
    <>
      <PageHeader
        title={props.host.name}
        parent={{ label: "Hosts", href: environment.path("hosts") }}
        badges={
          <Show when={props.host.simulated}>
            <SimulatedBadge />
          </Show>
        }
        status={
          <>
            <StateMark tone={state().tone}>{state().word}</StateMark>
            <span>{state().reason}</span>
          </>
        }
        actions={<HostActions host={props.host} />}
      />
      <Show when={props.host.simulated}>
        <Notice tone="info">
          This host runs <strong>vector-sim</strong>, a stand-in for Vector. Its events and numbers
          are made up.
        </Notice>
      </Show>
      <TabNav
        label="Parts of the host"
        current={tab()}
        tabs={[
          { id: "overview", label: "Overview" },
          {
            id: "pipelines",
            label: "Pipelines",
            badge: `${props.host.pipelinesRunning}/${props.host.pipelinesTotal}`,
          },
          { id: "logs", label: "Logs" },
        ]}
      />
      <Switch fallback={<HostOverview host={props.host} />}>
        <Match when={tab() === "pipelines"}>
          <HostPipelines hostId={props.host.id} />
        </Match>
        <Match when={tab() === "logs"}>
          <HostLogs hostId={props.host.id} />
        </Match>
      </Switch>
    </>
  );
}
