import {
  createEffect,
  createMemo,
  createSignal,
  For,
  on,
  onCleanup,
  onMount,
  Show,
  type JSX,
} from "solid-js";

import type { LogLine } from "#gen/vectorflow/v1/log_pb.ts";

import { formatClock, millisOf } from "../lib/time.ts";
import { Button } from "../ui/button.tsx";
import { visibleRange } from "../ui/visible-range.ts";
import { levelWord } from "./log-buffer.ts";

import "./logs.css";

const lineHeight = 22;
const overscan = 20;

/**
 * Log lines, oldest first, drawn only where they are in view. Follows the newest while the end is in
 * view; scrolling up, or going to a line, stops that, and says how many have come since. One line is in the tab
 * order; arrows, Home and End go from line to line, Enter opens one and Escape closes it.
 */
export function LogList(props: { lines: readonly LogLine[]; showHost: boolean }): JSX.Element {
  const [scrollTop, setScrollTop] = createSignal(0);
  const [height, setHeight] = createSignal(520);
  const [following, setFollowing] = createSignal(true);
  const [seenId, setSeenId] = createSignal<string>();
  const [chosen, setChosen] = createSignal<LogLine>();
  const [cursor, setCursor] = createSignal<LogLine>();
  let viewport: HTMLDivElement | undefined;

  onMount(() => {
    if (viewport === undefined || typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined && entry.contentRect.height > 0) setHeight(entry.contentRect.height);
    });
    observer.observe(viewport);
    onCleanup(() => observer.disconnect());
  });
  const toEnd = (): void => {
    setFollowing(true);
    if (viewport) viewport.scrollTop = viewport.scrollHeight;
  };
  createEffect(
    on(
      () => props.lines,
      () => {
        // After the new height is laid out.
        if (following()) requestAnimationFrame(toEnd);
      },
    ),
  );
  const onScroll = (element: HTMLDivElement): void => {
    setScrollTop(element.scrollTop);
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < lineHeight * 2;
    if (!atEnd && following()) setSeenId(props.lines.at(-1)?.id);
    setFollowing(atEnd);
  };
  const newCount = createMemo(() => {
    if (following()) return 0;
    const at = props.lines.findLastIndex(({ id }) => id === seenId());
    return props.lines.length - 1 - at;
  });
  const goTo = (index: number): void => {
    const line = props.lines[index];
    if (line === undefined || viewport === undefined) return;
    setCursor(line);
    const top = index * lineHeight;
    if (top < scrollTop()) viewport.scrollTop = top;
    else if (top + lineHeight > scrollTop() + height()) {
      viewport.scrollTop = top + lineHeight - height();
    }
    // What is in view is drawn at once, so that the line is there to take the focus.
    onScroll(viewport);
    setFollowing(false);
    setSeenId(props.lines.at(-1)?.id);
    viewport.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus({ preventScroll: true });
  };
  const onKey = (event: KeyboardEvent): void => {
    const last = props.lines.length - 1;
    const at = props.lines.findIndex((line) => line === cursor());
    const next: Record<string, number> = {
      ArrowDown: at === -1 ? last : Math.min(last, at + 1),
      ArrowUp: at === -1 ? last : Math.max(0, at - 1),
      Home: 0,
      End: last,
    };
    const target = next[event.key];
    if (target !== undefined) {
      event.preventDefault();
      goTo(target);
    } else if (event.key === "Escape" && chosen() !== undefined) {
      event.preventDefault();
      close();
    }
  };
  const close = (): void => {
    const line = chosen();
    setChosen(undefined);
    goTo(props.lines.findIndex((other) => other === line));
  };
  const range = createMemo(() =>
    visibleRange(scrollTop(), height(), lineHeight, props.lines.length, overscan),
  );
  const tabStop = createMemo(() => {
    const line = cursor();
    const { start, end } = range();
    const drawn = props.lines.slice(start, end);
    return line !== undefined && drawn.includes(line) ? line : drawn.at(-1);
  });

  return (
    <div class="log-list">
      <div
        class="log-viewport"
        ref={(node) => {
          viewport = node;
        }}
        role="log"
        aria-live="off"
        aria-label="Log lines"
        onScroll={(event) => onScroll(event.currentTarget)}
        onKeyDown={onKey}
      >
        <div class="log-lines" style={{ height: `${props.lines.length * lineHeight}px` }}>
          <div style={{ transform: `translateY(${range().start * lineHeight}px)` }}>
            <For each={props.lines.slice(range().start, range().end)}>
              {(line, place) => (
                <LogRow
                  line={line}
                  index={range().start + place()}
                  showHost={props.showHost}
                  tabStop={tabStop() === line}
                  open={chosen() === line}
                  onFocus={() => setCursor(line)}
                  onChoose={() => setChosen(line)}
                />
              )}
            </For>
          </div>
        </div>
      </div>
      <Show when={newCount() > 0}>
        <div class="log-new">
          <Button variant="primary" onClick={toEnd}>
            {newCount()} new ↓
          </Button>
        </div>
      </Show>
      <Show when={chosen()}>{(line) => <LogDetail line={line()} onClose={close} />}</Show>
    </div>
  );
}

function LogRow(props: {
  line: LogLine;
  index: number;
  showHost: boolean;
  tabStop: boolean;
  open: boolean;
  onFocus: () => void;
  onChoose: () => void;
}): JSX.Element {
  const word = (): ReturnType<typeof levelWord> => levelWord(props.line.level);
  const time = (): number | undefined => millisOf(props.line.time);
  return (
    <button
      type="button"
      class="log-line"
      data-tone={word().tone}
      data-index={props.index}
      tabIndex={props.tabStop ? 0 : -1}
      aria-expanded={props.open}
      onFocus={() => props.onFocus()}
      onClick={() => props.onChoose()}
    >
      <span class="log-time">{time() === undefined ? "" : formatClock(time() ?? 0)}</span>
      <span class="log-level">{word().word}</span>
      <Show when={props.showHost}>
        <span class="log-host">{props.line.nodeName}</span>
      </Show>
      <Show when={props.line.componentKey}>
        <span class="log-component">{props.line.componentKey}</span>
      </Show>
      <span class="log-text">{props.line.text}</span>
    </button>
  );
}

function LogDetail(props: { line: LogLine; onClose: () => void }): JSX.Element {
  return (
    <div
      class="log-detail"
      onKeyDown={(event) => {
        if (event.key === "Escape") props.onClose();
      }}
    >
      <header>
        <span class="muted">
          {props.line.nodeName} {props.line.componentKey}
        </span>
        <Button onClick={() => props.onClose()}>Close line</Button>
      </header>
      <pre tabIndex={0}>{props.line.text}</pre>
    </div>
  );
}
