import { A } from "@solidjs/router";
import { Show, type JSX } from "solid-js";

import type { PipelineLive } from "#gen/vectorflow/v1/live_service_pb.ts";

import { formatRate } from "../lib/format.ts";
import { millisOf } from "../lib/time.ts";
import type { LiveView } from "../state/live.tsx";
import { Ago } from "../ui/ago.tsx";
import type { Column } from "../ui/data-table.tsx";
import { Badge, SimulatedBadge, StateMark } from "../ui/mark.tsx";
import { Sparkline } from "../ui/sparkline.tsx";
import { pipelineWord } from "./pipeline-state.ts";

export function pipelineColumns(options: {
  readonly hrefOf: (id: string) => string;
  readonly live: LiveView;
}): readonly Column<PipelineLive>[] {
  return [
    {
      id: "state",
      title: "State",
      track: "minmax(150px, 210px)",
      sortable: true,
      cell: (pipeline) => {
        const word = (): ReturnType<typeof pipelineWord> => pipelineWord(pipeline());
        return <StateMark tone={word().tone}>{word().word}</StateMark>;
      },
    },
    {
      id: "name",
      title: "Pipeline",
      track: "minmax(240px, 2.5fr)",
      sortable: true,
      cell: (pipeline) => <NameCell pipeline={pipeline()} hrefOf={options.hrefOf} />,
    },
    {
      id: "hosts",
      title: "Hosts",
      track: "72px",
      align: "end",
      sortable: true,
      cell: (pipeline) => <HostsCell pipeline={pipeline()} />,
    },
    {
      id: "in",
      title: "In",
      track: "76px",
      align: "end",
      sortable: true,
      cell: (pipeline) => <>{formatRate(pipeline().rates?.eventsIn)}</>,
    },
    {
      id: "out",
      title: "Out",
      track: "76px",
      align: "end",
      sortable: true,
      cell: (pipeline) => <>{formatRate(pipeline().rates?.eventsOut)}</>,
    },
    {
      id: "errors",
      title: "Errors",
      track: "76px",
      align: "end",
      sortable: true,
      cell: (pipeline) => (
        <span classList={{ "is-bad": (pipeline().rates?.errors ?? 0) > 0 }}>
          {formatRate(pipeline().rates?.errors)}
        </span>
      ),
    },
    {
      id: "trend",
      title: "Out, last 2 min",
      track: "122px",
      cell: (pipeline) => (
        <Sparkline values={options.live.rateHistory(pipeline().summary?.id ?? "")} />
      ),
    },
    {
      id: "version",
      title: "Version",
      track: "76px",
      align: "end",
      cell: (pipeline) => (
        <Show
          when={pipeline().summary?.draft === false && pipeline().summary?.deployedVersion}
          fallback={
            <Show when={pipeline().summary?.pausedVersion} fallback={<span class="faint">–</span>}>
              {(version) => (
                <span class="faint" title="Paused: it comes back when it is resumed">
                  v{version()}
                </span>
              )}
            </Show>
          }
        >
          v{pipeline().summary?.deployedVersion}
        </Show>
      ),
    },
    {
      id: "changed",
      title: "Changed",
      track: "minmax(100px, 1fr)",
      align: "end",
      sortable: true,
      cell: (pipeline) => (
        <span class="clip muted">
          <Ago ms={millisOf(pipeline().summary?.updateTime)} now={options.live.now()} />
          <Show when={pipeline().summary?.updatedBy}> by {pipeline().summary?.updatedBy}</Show>
        </span>
      ),
    },
  ];
}

function NameCell(props: { pipeline: PipelineLive; hrefOf: (id: string) => string }): JSX.Element {
  return (
    <>
      <A
        href={props.hrefOf(props.pipeline.summary?.id ?? "")}
        class="row-link"
        activeClass=""
        inactiveClass=""
      >
        {props.pipeline.summary?.name}
      </A>
      <PipelineBadges pipeline={props.pipeline} />
    </>
  );
}

/** What is special about a pipeline. A never deployed one has its state's word for that already. */
export function PipelineBadges(props: { pipeline: PipelineLive }): JSX.Element {
  return (
    <>
      <Show when={props.pipeline.summary?.changed}>
        <Badge tone="warn" title="The draft differs from what is deployed or paused">
          changed
        </Badge>
      </Show>
      <Show when={props.pipeline.simulated}>
        <SimulatedBadge />
      </Show>
    </>
  );
}

function HostsCell(props: { pipeline: PipelineLive }): JSX.Element {
  return (
    <Show when={props.pipeline.summary?.draft === false} fallback={<span class="faint">–</span>}>
      <span
        title="running / shall run"
        classList={{ "is-bad": props.pipeline.nodesRunning < props.pipeline.nodesDesired }}
      >
        {props.pipeline.nodesRunning}/{props.pipeline.nodesDesired}
      </span>
    </Show>
  );
}
