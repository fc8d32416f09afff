import { useLocation } from "@solidjs/router";
import { For, lazy, Match, Show, Switch, type JSX } from "solid-js";

import { usePipeline } from "../pipelines/pipeline-context.tsx";
import { KindMark } from "../pipelines/kind-mark.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { Select } from "../ui/field.tsx";
import { EmptyState } from "../ui/feedback.tsx";
import { Section } from "../ui/page.tsx";
import { LiveTap } from "./live-tap.tsx";
import { RedactionButton } from "./redaction-dialog.tsx";
import { useLookAt, type LookAt, type LookMode } from "./look-at.ts";
import { SampleView } from "./sample-view.tsx";

import "./inspection.css";

const TopView = lazy(async () => ({ default: (await import("./top-view.tsx")).TopView }));

const modes: readonly { readonly id: LookMode; readonly label: string }[] = [
  { id: "sample", label: "Sample" },
  { id: "tap", label: "Live tap" },
  { id: "top", label: "vector top" },
];

/** Looks into the pipeline where it runs: some events, a stream of them, or `vector top`. */
export function LiveDataTab(): JSX.Element {
  const environment = useEnvironment();
  const pipeline = usePipeline();
  const look = useLookAt();
  return (
    <Switch>
      <Match when={!environment.canEdit()}>
        <EmptyState title="Raw events are for editors">
          Ask an admin of the team for the editor role to sample or tap this pipeline.
        </EmptyState>
      </Match>
      <Match when={look.hosts().length === 0}>
        <EmptyState title="It runs nowhere that can be asked">
          Events can be seen while the pipeline runs on a host that is connected.
        </EmptyState>
      </Match>
      <Match when={true}>
        <Section
          title="Look at"
          actions={
            <>
              <Show when={environment.canAdmin()}>
                <RedactionButton environmentId={environment.id()} />
              </Show>
              <ModeLinks current={look.mode()} />
            </>
          }
        >
          <div class="look-at">
            <label class="look-host">
              <span class="muted">Host</span>
              <Select
                label="Host"
                value={look.hostId()}
                options={look.hosts()}
                onValue={look.setHost}
              />
            </label>
            <Show when={look.mode() !== "top"}>
              <ComponentChoice look={look} />
            </Show>
          </div>
        </Section>
        <Show when={`${look.mode()}/${look.hostId()}`} keyed>
          <Switch>
            <Match when={look.mode() === "sample"}>
              <SampleView pipelineId={pipeline.id} look={look} />
            </Match>
            <Match when={look.mode() === "tap"}>
              <LiveTap pipelineId={pipeline.id} look={look} />
            </Match>
            <Match when={look.mode() === "top"}>
              <TopView pipelineId={pipeline.id} nodeId={look.hostId()} />
            </Match>
          </Switch>
        </Show>
      </Match>
    </Switch>
  );
}

function ModeLinks(props: { current: LookMode }): JSX.Element {
  const location = useLocation();
  const hrefOf = (mode: LookMode): string => {
    const search = new URLSearchParams(location.search);
    search.set("view", mode);
    return `${location.pathname}?${search}`;
  };
  return (
    <nav class="mode-links" aria-label="Ways to look">
      <For each={modes}>
        {({ id, label }) => (
          <a href={hrefOf(id)} aria-current={props.current === id ? "page" : undefined}>
            {label}
          </a>
        )}
      </For>
    </nav>
  );
}

function ComponentChoice(props: { look: LookAt }): JSX.Element {
  return (
    <fieldset class="component-choice">
      <legend class="muted">Components</legend>
      <For each={props.look.components()}>
        {(component) => (
          <label>
            <input
              type="checkbox"
              checked={props.look.chosen().includes(component.key)}
              onChange={() => props.look.toggle(component.key)}
            />
            <KindMark kind={component.kind} />
            {component.key}
          </label>
        )}
      </For>
    </fieldset>
  );
}
