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

import { onThemeChange } from "../state/theme.ts";
import { formatClock } from "../lib/time.ts";
import { summarize, type ChartData, type Line } from "./series.ts";
import type { Chart } from "./uplot-chart.ts";

import "./time-series.css";

/**
 * Lines over time, with the newest values or those under the cursor beside their names, and the same
 * in words for people who do not see the drawing. uPlot is loaded when the first chart is.
 */
export function TimeSeries(props: {
  title: string;
  lines: readonly Line[];
  data: ChartData | undefined;
  /** What the axis spans, in seconds; data may cover less. */
  window: readonly [number, number];
  format: (value: number | undefined) => string;
  syncKey: string;
  binary?: boolean;
  height?: number;
  stale?: boolean;
}): JSX.Element {
  const [cursor, setCursor] = createSignal<number>();
  const [failed, setFailed] = createSignal(false);
  let element: HTMLDivElement | undefined;
  let chart: Chart | undefined;
  const empty = (): ChartData => ({ times: [], lines: props.lines.map(() => []) });
  const hasValues = createMemo(
    () => props.data?.lines.some((line) => line.some((value) => value !== null)) ?? false,
  );

  onMount(() => {
    let gone = false;
    const draw = async (): Promise<void> => {
      try {
        const { createChart } = await import("./uplot-chart.ts");
        if (gone || element === undefined) return;
        chart?.destroy();
        chart = createChart(
          element,
          {
            lines: props.lines,
            height: props.height ?? 180,
            format: (value) => props.format(value),
            syncKey: props.syncKey,
            binary: props.binary ?? false,
            window: () => props.window,
            onCursor: setCursor,
          },
          props.data ?? empty(),
        );
      } catch {
        // Without a canvas the table says the same.
        setFailed(true);
      }
    };
    void draw();
    onCleanup(onThemeChange(() => void draw()));
    if (element !== undefined && typeof ResizeObserver !== "undefined") {
      const observer = new ResizeObserver(([entry]) => {
        if (entry !== undefined) chart?.resize(entry.contentRect.width);
      });
      observer.observe(element);
      onCleanup(() => observer.disconnect());
    }
    onCleanup(() => {
      gone = true;
      chart?.destroy();
    });
  });
  createEffect(
    on(
      () => props.data,
      (data) => chart?.setData(data ?? empty()),
      { defer: true },
    ),
  );

  const shownValue = (index: number): string => {
    const at = cursor();
    const values = props.data?.lines[index] ?? [];
    return props.format(at === undefined ? summarize(values).last : (values[at] ?? undefined));
  };
  const shownTime = (): string => {
    const at = cursor();
    const time = at === undefined ? undefined : props.data?.times[at];
    return time === undefined ? "" : formatClock(time * 1000);
  };

  return (
    <figure class="time-series" classList={{ stale: props.stale === true }}>
      <figcaption class="time-series-head">
        <strong>{props.title}</strong>
        <span class="time-series-time faint" aria-hidden="true">
          {shownTime()}
        </span>
        <For each={props.lines}>
          {(line, index) => (
            <span class="time-series-legend" aria-hidden="true">
              <i style={{ background: `var(${line.color})` }} />
              {line.label} <b>{shownValue(index())}</b>
            </span>
          )}
        </For>
      </figcaption>
      <div
        class="time-series-plot"
        ref={(node) => {
          element = node;
        }}
        aria-hidden="true"
        hidden={failed()}
      />
      <Show when={props.data !== undefined && !hasValues()}>
        <p class="time-series-empty">Nothing was measured in this time.</p>
      </Show>
      <SummaryTable {...props} visible={failed()} />
    </figure>
  );
}

function SummaryTable(props: {
  title: string;
  lines: readonly Line[];
  data: ChartData | undefined;
  format: (value: number | undefined) => string;
  visible: boolean;
}): JSX.Element {
  return (
    <table classList={{ "visually-hidden": !props.visible }}>
      <caption>{props.title}, in numbers</caption>
      <thead>
        <tr>
          <th scope="col">Series</th>
          <th scope="col">Least</th>
          <th scope="col">Mean</th>
          <th scope="col">Most</th>
          <th scope="col">Newest</th>
        </tr>
      </thead>
      <tbody>
        <For each={props.lines}>
          {(line, index) => {
            const summary = createMemo(() => summarize(props.data?.lines[index()] ?? []));
            return (
              <tr>
                <th scope="row">{line.label}</th>
                <td>{props.format(summary().min)}</td>
                <td>{props.format(summary().mean)}</td>
                <td>{props.format(summary().max)}</td>
                <td>{props.format(summary().last)}</td>
              </tr>
            );
          }}
        </For>
      </tbody>
    </table>
  );
}
