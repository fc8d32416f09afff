import { A } from "@solidjs/router";
import { Show, type JSX } from "solid-js";

import type { Node } from "#gen/vectorflow/v1/node_pb.ts";

import { formatBytes, formatPercent } from "../lib/format.ts";
import { millisOf } from "../lib/time.ts";
import { Ago } from "../ui/ago.tsx";
import type { Column } from "../ui/data-table.tsx";
import { SimulatedBadge, StateMark } from "../ui/mark.tsx";
import { hostState, memoryRatio } from "./host-state.ts";

/** The columns of the fleet's table: the state first, then who it is. */
export function hostColumns(options: {
  readonly hrefOf: (id: string) => string;
  readonly now: () => number;
}): readonly Column<Node>[] {
  return [
    {
      id: "state",
      title: "State",
      track: "minmax(150px, 2.4fr)",
      sortable: true,
      cell: (host) => <HostStateCell host={host()} />,
    },
    {
      id: "name",
      title: "Host",
      track: "minmax(196px, 2fr)",
      sortable: true,
      cell: (host) => (
        <>
          <A href={options.hrefOf(host().id)} class="row-link" activeClass="" inactiveClass="">
            {host().name}
          </A>
          <Show when={host().simulated}>
            <SimulatedBadge />
          </Show>
        </>
      ),
    },
    {
      id: "vector",
      title: "Vector",
      track: "76px",
      sortable: true,
      cell: (host) => <span class="clip">{host().vectorVersion || "–"}</span>,
    },
    {
      id: "agent",
      title: "Agent",
      track: "72px",
      sortable: true,
      cell: (host) => <span class="clip">{host().agentVersion || "–"}</span>,
    },
    {
      id: "os",
      title: "OS",
      track: "minmax(90px, 1fr)",
      sortable: true,
      cell: (host) => <span class="clip muted">{osName(host())}</span>,
    },
    {
      id: "pipelines",
      title: "Pipelines",
      track: "88px",
      align: "end",
      sortable: true,
      cell: (host) => <PipelineCount host={host()} />,
    },
    {
      id: "cpu",
      title: "CPU",
      track: "100px",
      align: "end",
      sortable: true,
      cell: (host) => <Meter ratio={host().usage?.cpuRatio} title={`${host().cpuCount} CPUs`} />,
    },
    {
      id: "memory",
      title: "Memory",
      track: "100px",
      align: "end",
      sortable: true,
      cell: (host) => <Meter ratio={memoryRatio(host())} title={memoryTitle(host())} />,
    },
    {
      id: "seen",
      title: "Last seen",
      track: "96px",
      align: "end",
      sortable: true,
      cell: (host) => <Ago ms={millisOf(host().lastSeenTime)} now={options.now()} />,
    },
  ];
}

export function osName(host: Node): string {
  const name = host.os.replace(" GNU/Linux", "");
  return [name, host.osRelease].filter(Boolean).join(" ") || "–";
}

function HostStateCell(props: { host: Node }): JSX.Element {
  const state = (): ReturnType<typeof hostState> => hostState(props.host);
  return (
    <>
      <StateMark tone={state().tone}>{state().word}</StateMark>
      <Show when={state().reason}>
        <span class="clip muted" title={state().reason}>
          {state().reason}
        </span>
      </Show>
    </>
  );
}

function PipelineCount(props: { host: Node }): JSX.Element {
  return (
    <Show when={props.host.pipelinesTotal > 0} fallback={<span class="faint">none</span>}>
      <span title="running / shall run">
        {props.host.pipelinesRunning}/{props.host.pipelinesTotal}
      </span>
    </Show>
  );
}

/** A share as a number with a bar; coloured only when it is a worry. */
function Meter(props: { ratio: number | undefined; title: string }): JSX.Element {
  const percent = (): number => Math.min(100, Math.max(0, (props.ratio ?? 0) * 100));
  return (
    <span class="meter" title={props.title} data-high={(props.ratio ?? 0) >= 0.9 ? "" : undefined}>
      <span class="meter-bar" aria-hidden="true">
        <i style={{ width: `${percent()}%` }} />
      </span>
      <span class="meter-value">{formatPercent(props.ratio)}</span>
    </span>
  );
}

function memoryTitle(host: Node): string {
  return `${formatBytes(host.usage?.memoryUsedBytes)} of ${formatBytes(host.usage?.memoryTotalBytes)}`;
}
