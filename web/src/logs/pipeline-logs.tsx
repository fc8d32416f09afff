import { createEffect, createMemo, createSignal, on, onCleanup, Show, type JSX } from "solid-js";

import type { LogLine } from "#gen/vectorflow/v1/log_pb.ts";

import { superviseStream, type StreamStatus } from "../api/stream-supervisor.ts";
import { plural } from "../lib/format.ts";
import { useApi } from "../state/api.tsx";
import { EmptyState, ErrorBox } from "../ui/feedback.tsx";
import { StateMark } from "../ui/mark.tsx";
import { Section } from "../ui/page.tsx";
import { LogBuffer, searchLines } from "./log-buffer.ts";
import { LogFilters, useLogFilters } from "./log-filters.tsx";
import { LogList } from "./log-list.tsx";

/** Lines come faster than anybody reads; the page draws them this often. */
const drawMs = 200;

/** The tail of a pipeline's log over all its hosts: a second stream, open only while this is. */
export function PipelineLogs(props: { pipelineId: string }): JSX.Element {
  const { clients, clock, surroundings } = useApi();
  const filters = useLogFilters();
  const [lines, setLines] = createSignal<readonly LogLine[]>([]);
  const [skipped, setSkipped] = createSignal(0);
  const [status, setStatus] = createSignal<StreamStatus>({ kind: "connecting" });

  createEffect(
    on([() => props.pipelineId, () => filters.level().level], ([pipelineId, minimumLevel]) => {
      const buffer = new LogBuffer();
      const own = new AbortController();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const draw = (): void => {
        timer = undefined;
        setLines(buffer.toArray());
        setSkipped(buffer.skipped);
      };
      draw();
      setStatus({ kind: "connecting" });
      void superviseStream(
        {
          clock,
          surroundings,
          random: Math.random,
          open: (signal) =>
            clients.logs.tailPipelineLogs({ pipelineId, minimumLevel }, { signal, timeoutMs: 0 }),
          onOpen: () => {},
          onMessage: (message) => {
            buffer.add(message.lines, Number(message.skippedLines));
            timer ??= setTimeout(draw, drawMs);
          },
          onStatus: (next) => {
            if (!own.signal.aborted) setStatus(next);
          },
        },
        own.signal,
      );
      onCleanup(() => {
        clearTimeout(timer);
        own.abort(new Error("left"));
      });
    }),
  );
  const shown = createMemo(() => searchLines(lines(), filters.search()));
  const refused = (): Extract<StreamStatus, { kind: "refused" }> | undefined => {
    const current = status();
    return current.kind === "refused" ? current : undefined;
  };

  return (
    <Section
      title="Log"
      flush
      actions={
        <LogFilters>
          <TailState status={status()} />
        </LogFilters>
      }
    >
      <Show when={refused()}>{(current) => <ErrorBox error={current().error} />}</Show>
      <Show when={skipped() > 0}>
        <p class="table-note muted">
          {plural(skipped(), "line")} came too fast and {skipped() === 1 ? "is" : "are"} not shown.
        </p>
      </Show>
      <Show
        when={shown().length > 0}
        fallback={
          <EmptyState title={lines().length > 0 ? "No line matches" : "No lines yet"}>
            {lines().length > 0
              ? "Change the search or the level."
              : "What the pipeline's processes say appears here as it comes."}
          </EmptyState>
        }
      >
        <LogList lines={shown()} showHost />
      </Show>
    </Section>
  );
}

function TailState(props: { status: StreamStatus }): JSX.Element {
  return (
    <Show
      when={props.status.kind === "live"}
      fallback={
        <StateMark tone="idle">
          {props.status.kind === "connecting" ? "connecting" : "paused"}
        </StateMark>
      }
    >
      <StateMark tone="ok">following</StateMark>
    </Show>
  );
}
