import { createSignal, For, Match, Show, Switch, type JSX } from "solid-js";

import { SampleState } from "#gen/vectorflow/v1/inspection_pb.ts";
import { InspectionService } from "#gen/vectorflow/v1/inspection_service_pb.ts";
import {
  EventVerdict,
  TrialService,
  type EventTrial,
  type TransformTrial,
} from "#gen/vectorflow/v1/trial_service_pb.ts";

import { plural } from "../lib/format.ts";
import { formatClock, millisOf } from "../lib/time.ts";
import { usePipeline } from "../pipelines/pipeline-context.tsx";
import { useRead } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { LinkButton } from "../ui/button.tsx";
import { EmptyState, Notice } from "../ui/feedback.tsx";
import { Select } from "../ui/field.tsx";
import { StateMark, type Tone } from "../ui/mark.tsx";
import { Section } from "../ui/page.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { diffLines } from "./diff-lines.ts";

type Word = readonly [Tone, string];

const unknownWord: Word = ["idle", "unknown"];
const words: Readonly<Partial<Record<EventVerdict, Word>>> = {
  [EventVerdict.UNCHANGED]: ["ok", "unchanged"],
  [EventVerdict.MODIFIED]: ["info", "modified"],
  [EventVerdict.DROPPED]: ["warn", "dropped"],
  [EventVerdict.ERROR]: ["bad", "error"],
};

/** What the draft's transforms make of events that were sampled of the running pipeline. */
export function SampleTrial(props: { text: string }): JSX.Element {
  const environment = useEnvironment();
  return (
    <Show
      when={environment.canEdit()}
      fallback={
        <EmptyState title="Raw events are for editors">
          Ask an admin of the team for the editor role to try the draft on sampled events.
        </EmptyState>
      }
    >
      <Tried text={props.text} />
    </Show>
  );
}

function Tried(props: { text: string }): JSX.Element {
  const environment = useEnvironment();
  const pipeline = usePipeline();
  const [chosen, setChosen] = createSignal("");
  const samples = useRead(InspectionService.method.listSamples, () => ({
    pipelineId: pipeline.id,
  }));
  const options = () =>
    (samples.data()?.samples ?? [])
      .filter(({ state }) => state === SampleState.COMPLETED)
      .map((sample) => {
        const time = millisOf(sample.requestTime);
        const at = time === undefined ? "" : formatClock(time);
        return {
          value: sample.id,
          label: `${at} ${sample.nodeName || "gone host"}: ${sample.componentKeys.join(", ")}`,
        };
      });
  const read = useRead(
    TrialService.method.tryOnSample,
    () => ({ pipelineId: pipeline.id, yaml: props.text, sampleId: chosen() }),
    { keepPrevious: true, staleTime: 0 },
  );
  return (
    <Section
      title="On sampled events"
      actions={
        <Show when={options().length > 0}>
          <Select
            label="Sample"
            value={chosen() || (read.data()?.sampleId ?? "")}
            options={options()}
            onValue={setChosen}
          />
        </Show>
      }
    >
      <QueryView read={read} skeletonRows={4}>
        {(answer) => (
          <Switch>
            <Match when={answer().problems.length > 0}>
              <Notice tone="warn">
                Nothing was run: the draft has {plural(answer().problems.length, "error")}.
              </Notice>
            </Match>
            <Match when={answer().sampleId === ""}>
              <EmptyState
                title="Nothing was sampled yet"
                actions={
                  <LinkButton href={`${environment.path("pipelines")}/${pipeline.id}?tab=live`}>
                    Take a sample
                  </LinkButton>
                }
              >
                Take a sample of the sources where the pipeline runs; the draft's transforms can
                then be run over it here.
              </EmptyState>
            </Match>
            <Match when={answer().transforms.length === 0}>
              <p class="muted">The draft has no transforms.</p>
            </Match>
            <Match when={true}>
              <p class="muted">
                Run on the server, in the order of the text. Times without a zone count as UTC
                unless the draft sets one; redacted values stay redacted.
              </p>
              <For each={answer().transforms}>
                {(transform) => <TransformItem transform={transform} />}
              </For>
            </Match>
          </Switch>
        )}
      </QueryView>
    </Section>
  );
}

function TransformItem(props: { transform: TransformTrial }): JSX.Element {
  const counts = (): string =>
    [EventVerdict.MODIFIED, EventVerdict.UNCHANGED, EventVerdict.DROPPED, EventVerdict.ERROR]
      .map((verdict) => {
        const count = props.transform.events.filter((event) => event.verdict === verdict).length;
        return count === 0 ? "" : `${count} ${words[verdict]?.[1]}`;
      })
      .filter(Boolean)
      .join(", ");
  return (
    <section class="trial-transform" aria-label={props.transform.componentKey}>
      <header>
        <h3>{props.transform.componentKey}</h3>
        <span class="faint">{props.transform.componentType}</span>
        <span class="muted">{counts()}</span>
      </header>
      <Switch>
        <Match when={props.transform.unknown}>
          {(reason) => <Notice tone="info">Not known: {reason()}.</Notice>}
        </Match>
        <Match when={props.transform.events.length === 0}>
          <p class="muted">None of the events reaches it.</p>
        </Match>
        <Match when={true}>
          <ul class="trial-list">
            <For each={props.transform.events}>{(event) => <EventItem event={event} />}</For>
          </ul>
        </Match>
      </Switch>
      <Show when={props.transform.omittedCount > 0}>
        <p class="muted">
          {plural(props.transform.omittedCount, "event")} more: the answer would have been too
          large.
        </p>
      </Show>
    </section>
  );
}

function EventItem(props: { event: EventTrial }): JSX.Element {
  const word = (): Word => words[props.event.verdict] ?? unknownWord;
  return (
    <li>
      <details>
        <summary class="trial-line">
          <StateMark tone={word()[0]}>{word()[1]}</StateMark>
          <code>{props.event.before.slice(0, 400)}</code>
        </summary>
        <Show when={props.event.error}>{(error) => <p class="is-bad">{error()}</p>}</Show>
        <Show when={props.event.after.length === 0}>
          <p class="muted">It goes nowhere.</p>
        </Show>
        <For each={props.event.after}>
          {(after) => (
            <>
              <Show when={after.output}>{(output) => <h4>to {output()}</h4>}</Show>
              <pre tabIndex={0} aria-label="What changes">
                <For each={diffLines(props.event.before, after.json)}>
                  {(line) => <span data-change={line.change}>{`${line.text}\n`}</span>}
                </For>
              </pre>
            </>
          )}
        </For>
      </details>
    </li>
  );
}
