import { For, Show, type JSX } from "solid-js";

import type { ComponentRates } from "#gen/vectorflow/v1/live_service_pb.ts";
import type { Component } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { formatBytes, formatRate } from "../lib/format.ts";
import { PipelineCharts } from "../metrics/pipeline-chart.tsx";
import { RangePicker } from "../metrics/range-picker.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { useLive } from "../state/live.tsx";
import { LinkButton } from "../ui/button.tsx";
import { EmptyState, Notice } from "../ui/feedback.tsx";
import { Section } from "../ui/page.tsx";
import { HostProgress } from "./host-progress.tsx";
import { KindMark } from "./kind-mark.tsx";
import { usePipeline } from "./pipeline-context.tsx";
import { TargetingSection } from "./targeting-section.tsx";

import "../ui/plain-table.css";

/** What the pipeline does now, where, and how that went over time. */
export function PipelineOverview(): JSX.Element {
  const pipeline = usePipeline();
  const live = useLive();
  const environment = useEnvironment();
  const deployed = (): boolean => pipeline.live().summary?.draft === false;
  return (
    <>
      <Show when={pipeline.live().simulated}>
        <Notice tone="info">
          Some hosts run <strong>vector-sim</strong>, a stand-in for Vector: events there are made
          up.
        </Notice>
      </Show>
      <Show when={deployed()}>
        <RateTiles />
      </Show>
      <Section title="Hosts" flush>
        <HostProgress
          short={8}
          empty={
            <Show when={deployed()} fallback={<NotRunning />}>
              <EmptyState
                title="No host to run on"
                actions={
                  <LinkButton href={environment.path("hosts", "add")}>Add a host</LinkButton>
                }
              >
                As soon as a host that it is for joins the environment, it runs this pipeline.
              </EmptyState>
            </Show>
          }
        />
      </Section>
      <TargetingSection />
      <Section title="Throughput" actions={<RangePicker />}>
        <PipelineCharts pipelineId={pipeline.id} />
      </Section>
      <Section title="Components" flush>
        <ComponentTable stale={live.stale()} />
      </Section>
    </>
  );
}

function NotRunning(): JSX.Element {
  const pipeline = usePipeline();
  return (
    <Show
      when={pipeline.live().summary?.pausedVersion}
      fallback={
        <EmptyState title="Not deployed">
          Deploy the draft, and the hosts that it is for run it.
        </EmptyState>
      }
    >
      {(version) => (
        <EmptyState title="Paused">
          No host runs it. Resume it, and the hosts that it is for run v{version()} again, from
          where they stopped: what sources and buffers keep on disk is kept.
        </EmptyState>
      )}
    </Show>
  );
}

function RateTiles(): JSX.Element {
  const pipeline = usePipeline();
  const live = useLive();
  const rates = (): ReturnType<typeof pipeline.live>["rates"] => pipeline.live().rates;
  const tiles = (): readonly (readonly [string, string, boolean])[] => [
    ["Events in", formatRate(rates()?.eventsIn), false],
    ["Events out", formatRate(rates()?.eventsOut), false],
    ["Bytes in", bytesRate(rates()?.bytesIn), false],
    ["Bytes out", bytesRate(rates()?.bytesOut), false],
    ["Errors", formatRate(rates()?.errors), (rates()?.errors ?? 0) > 0],
    ["Discarded", formatRate(rates()?.discarded), false],
  ];
  return (
    <dl class="tiles" classList={{ stale: live.stale() }}>
      <For each={tiles()}>
        {([name, value, bad]) => (
          <div class="tile">
            <dt>{name}</dt>
            <dd classList={{ "is-bad": bad }}>{value}</dd>
          </div>
        )}
      </For>
    </dl>
  );
}

function bytesRate(value: number | undefined): string {
  return value === undefined ? "–" : `${formatBytes(value)}/s`;
}

function ComponentTable(props: { stale: boolean }): JSX.Element {
  const pipeline = usePipeline();
  const components = (): readonly Component[] => pipeline.live().summary?.components ?? [];
  const ratesOf = (key: string): ComponentRates | undefined =>
    pipeline.live().components.find((candidate) => candidate.key === key);
  return (
    <Show
      when={components().length > 0}
      fallback={<EmptyState title="No components yet">Write some in the editor.</EmptyState>}
    >
      <div class="plain-table-scroll" classList={{ stale: props.stale }}>
        <table class="plain-table">
          <thead>
            <tr>
              <th scope="col">Component</th>
              <th scope="col">Type</th>
              <th scope="col">Reads</th>
              <th scope="col" class="number">
                In
              </th>
              <th scope="col" class="number">
                Out
              </th>
              <th scope="col" class="number">
                Errors
              </th>
              <th scope="col" class="number">
                Discarded
              </th>
            </tr>
          </thead>
          <tbody>
            <For each={components()}>
              {(component) => (
                <tr>
                  <th scope="row">
                    <KindMark kind={component.kind} /> {component.key}
                  </th>
                  <td>
                    <code>{component.type}</code>
                  </td>
                  <td class="muted">{component.inputs.join(", ")}</td>
                  <td class="number">{formatRate(ratesOf(component.key)?.eventsIn)}</td>
                  <td class="number">{formatRate(ratesOf(component.key)?.eventsOut)}</td>
                  <td
                    class="number"
                    classList={{ "is-bad": (ratesOf(component.key)?.errors ?? 0) > 0 }}
                  >
                    {formatRate(ratesOf(component.key)?.errors)}
                  </td>
                  <td class="number">{formatRate(ratesOf(component.key)?.discarded)}</td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </div>
    </Show>
  );
}
