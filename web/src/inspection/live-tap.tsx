import { createMemo, createSignal, For, onCleanup, Show, type JSX } from "solid-js";

import type { TappedEvent } from "#gen/vectorflow/v1/inspection_pb.ts";

import { toUiError, type UiError } from "../api/errors.ts";
import { plural } from "../lib/format.ts";
import { RingBuffer } from "../lib/ring-buffer.ts";
import { useApi } from "../state/api.tsx";
import { Button } from "../ui/button.tsx";
import { EmptyState, ErrorBox, Notice } from "../ui/feedback.tsx";
import { StateMark } from "../ui/mark.tsx";
import { Section } from "../ui/page.tsx";
import type { LookAt } from "./look-at.ts";
import { EventItem } from "./sample-result.tsx";

const keptEvents = 500;
const shownEvents = 200;
/** Events come faster than anybody reads; the page draws them this often. */
const drawMs = 200;

type TapState =
  | { readonly kind: "idle" }
  | { readonly kind: "starting" }
  | { readonly kind: "listening" }
  | { readonly kind: "ended"; readonly reason: string }
  | { readonly kind: "failed"; readonly error: UiError };

/** A live tap: starts and stops when a person says so, and ends when they leave the page. */
export function LiveTap(props: { pipelineId: string; look: LookAt }): JSX.Element {
  const { clients } = useApi();
  const buffer = new RingBuffer<TappedEvent>(keptEvents);
  const [events, setEvents] = createSignal<readonly TappedEvent[]>([]);
  const [dropped, setDropped] = createSignal(0);
  const [state, setState] = createSignal<TapState>({ kind: "idle" });
  const [paused, setPaused] = createSignal(false);
  const [filter, setFilter] = createSignal("");
  let tap: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const draw = (): void => {
    timer = undefined;
    if (!paused()) setEvents(buffer.toArray());
  };
  const clear = (): void => {
    buffer.clear();
    setDropped(0);
    setEvents([]);
  };
  const stop = (): void => tap?.abort(new Error("stopped"));
  onCleanup(() => {
    stop();
    clearTimeout(timer);
  });

  const start = async (): Promise<void> => {
    const own = new AbortController();
    tap = own;
    clear();
    setPaused(false);
    setState({ kind: "starting" });
    try {
      const request = {
        pipelineId: props.pipelineId,
        nodeId: props.look.hostId(),
        componentKeys: [...props.look.chosen()],
      };
      const options = { signal: own.signal, timeoutMs: 0 };
      let reason = "The server ended the tap.";
      for await (const part of clients.inspection.tapEvents(request, options)) {
        if (part.started) setState({ kind: "listening" });
        buffer.push(...part.events);
        setDropped((count) => count + Number(part.droppedEvents));
        timer ??= setTimeout(draw, drawMs);
        if (part.endedReason !== "") reason = part.endedReason;
      }
      setState({ kind: "ended", reason });
    } catch (error) {
      if (own.signal.aborted) setState({ kind: "ended", reason: "You stopped it." });
      else setState({ kind: "failed", error: toUiError(error) });
    }
  };
  const runs = (): boolean => state().kind === "starting" || state().kind === "listening";
  const shown = createMemo(() => {
    const wanted = filter().toLowerCase();
    const matching =
      wanted === "" ? events() : events().filter(({ json }) => json.toLowerCase().includes(wanted));
    return matching.slice(-shownEvents).toReversed();
  });

  return (
    <Section
      title="Live tap"
      flush
      actions={
        <div class="tap-actions">
          <TapMark state={state()} paused={paused()} />
          <input
            type="search"
            class="input"
            aria-label="Filter events"
            placeholder="Filter"
            value={filter()}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
          <Button onClick={clear}>Clear</Button>
          <Show when={runs()}>
            <Button
              aria-pressed={paused()}
              onClick={() => {
                setPaused(!paused());
                draw();
              }}
            >
              {paused() ? "Go on" : "Pause view"}
            </Button>
          </Show>
          <Show
            when={runs()}
            fallback={
              <Button
                variant="primary"
                disabledReason={props.look.chosen().length > 0 ? undefined : "Choose a component"}
                onClick={() => void start()}
              >
                Start
              </Button>
            }
          >
            <Button variant="danger" onClick={stop}>
              Stop
            </Button>
          </Show>
        </div>
      }
    >
      <TapOutcome state={state()} />
      <Show when={dropped() > 0}>
        <p class="table-note muted">
          {plural(dropped(), "event")} came too fast and {dropped() === 1 ? "is" : "are"} not shown.
        </p>
      </Show>
      <Show
        when={shown().length > 0}
        fallback={
          <EmptyState title={events().length > 0 ? "No event matches" : "No events yet"}>
            {events().length > 0
              ? "Change the filter."
              : "A tap shows events as they pass, newest first, for at most 5 minutes. Secrets are redacted on the host."}
          </EmptyState>
        }
      >
        <ol class="event-list tap-events" role="log" aria-live="off" aria-label="Tapped events">
          <For each={shown()}>
            {(event) => (
              <EventItem
                json={event.json}
                note={<span class="tap-key">{event.componentKey}</span>}
              />
            )}
          </For>
        </ol>
      </Show>
    </Section>
  );
}

function TapMark(props: { state: TapState; paused: boolean }): JSX.Element {
  return (
    <Show
      when={props.state.kind === "listening"}
      fallback={
        <Show when={props.state.kind === "starting"}>
          <StateMark tone="idle">starting</StateMark>
        </Show>
      }
    >
      <StateMark tone={props.paused ? "idle" : "ok"}>
        {props.paused ? "paused" : "listening"}
      </StateMark>
    </Show>
  );
}

function TapOutcome(props: { state: TapState }): JSX.Element {
  const failed = (): UiError | undefined =>
    props.state.kind === "failed" ? props.state.error : undefined;
  const ended = (): string | undefined =>
    props.state.kind === "ended" ? props.state.reason : undefined;
  return (
    <>
      <Show when={failed()}>
        {(error) => <ErrorBox title="The tap could not be started." error={error()} />}
      </Show>
      <Show when={ended()}>
        {(reason) => (
          <Notice tone="info">
            <strong>The tap has ended.</strong> {reason()}
          </Notice>
        )}
      </Show>
    </>
  );
}
