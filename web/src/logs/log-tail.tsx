import { createEffect, createMemo, createSignal, on, onCleanup, Show, type JSX } from "solid-js";

import type { LogLevel, LogLine } from "#gen/vectorflow/v1/log_pb.ts";

import { toUiError, type UiError } from "../api/errors.ts";
import { superviseStream, type StreamStatus } from "../api/stream-supervisor.ts";
import { plural } from "../lib/format.ts";
import { useApi } from "../state/api.tsx";
import { Button } from "../ui/button.tsx";
import { EmptyState, ErrorBox } from "../ui/feedback.tsx";
import { StateMark } from "../ui/mark.tsx";
import { Section } from "../ui/page.tsx";
import { LogBuffer, searchLines } from "./log-buffer.ts";
import { LogFilters, useLogFilters } from "./log-filters.tsx";
import { LogList } from "./log-list.tsx";

/** Lines come faster than anybody reads; the page draws them this often. */
const drawMs = 200;

interface TailMessage {
  readonly lines: readonly LogLine[];
  readonly skippedLines: bigint;
}

interface OlderPage {
  readonly lines: readonly LogLine[];
  readonly nextPageToken: string;
}

/** Where the lines of a subject come from. */
export interface LogSource {
  /** Remounts the tail when it changes. */
  readonly id: string;
  readonly tail: (minimumLevel: LogLevel, signal: AbortSignal) => AsyncIterable<TailMessage>;
  /** Stored lines before a line, newest first, or the next page of them. */
  readonly older: (request: {
    readonly minimumLevel: LogLevel;
    readonly search: string;
    readonly before: LogLine | undefined;
    readonly pageToken: string;
  }) => Promise<OlderPage>;
}

/** The tail of a log: a second stream, open only while this is, with what was stored before on request. */
export function LogTail(props: {
  source: LogSource;
  showHost: boolean;
  emptyText: string;
}): JSX.Element {
  const { clock, surroundings } = useApi();
  const filters = useLogFilters();
  const [lines, setLines] = createSignal<readonly LogLine[]>([]);
  const [skipped, setSkipped] = createSignal(0);
  const [status, setStatus] = createSignal<StreamStatus>({ kind: "connecting" });

  createEffect(
    on([() => props.source.id, () => filters.level().level], ([_id, minimumLevel]) => {
      const { tail } = props.source;
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
          open: (signal) => tail(minimumLevel, signal),
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
  const older = createOlder(() => props.source, lines);
  const shown = createMemo(() => searchLines([...older.lines(), ...lines()], filters.search()));
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
          <Button
            loading={older.busy()}
            {...(older.ended() && { disabledReason: "There are no older lines" })}
            onClick={() => void older.load()}
          >
            Load older
          </Button>
          <TailState status={status()} />
        </LogFilters>
      }
    >
      <Show when={refused()}>{(current) => <ErrorBox error={current().error} />}</Show>
      <Show when={older.error()}>{(error) => <ErrorBox error={error()} />}</Show>
      <Show when={skipped() > 0}>
        <p class="table-note muted">
          {plural(skipped(), "line")} came too fast and {skipped() === 1 ? "is" : "are"} not shown.
        </p>
      </Show>
      <Show
        when={shown().length > 0}
        fallback={
          <EmptyState title={lines().length > 0 ? "No line matches" : "No lines yet"}>
            {lines().length > 0 ? "Change the search or the level." : props.emptyText}
          </EmptyState>
        }
      >
        <LogList lines={shown()} showHost={props.showHost} />
      </Show>
    </Section>
  );
}

/** Stored lines from before the tail, page by page; another level or search begins anew. */
function createOlder(source: () => LogSource, lines: () => readonly LogLine[]) {
  const filters = useLogFilters();
  const [loaded, setLoaded] = createSignal<readonly LogLine[]>([]);
  const [token, setToken] = createSignal("");
  const [ended, setEnded] = createSignal(false);
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<UiError>();
  createEffect(
    on([() => source().id, () => filters.level().level, filters.search], () => {
      setLoaded([]);
      setToken("");
      setEnded(false);
      setError(undefined);
    }),
  );
  return {
    lines: loaded,
    ended,
    busy,
    error,
    async load(): Promise<void> {
      const { id } = source();
      setBusy(true);
      setError(undefined);
      try {
        const page = await source().older({
          minimumLevel: filters.level().level,
          search: filters.search(),
          before: loaded()[0] ?? lines()[0],
          pageToken: token(),
        });
        if (source().id !== id) return;
        const known = new Set([...loaded(), ...lines()].map((line) => line.id));
        const fresh = page.lines.filter((line) => !known.has(line.id)).toReversed();
        setLoaded([...fresh, ...loaded()]);
        setToken(page.nextPageToken);
        setEnded(page.nextPageToken === "");
      } catch (thrown) {
        setError(toUiError(thrown));
      } finally {
        setBusy(false);
      }
    },
  };
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
