import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import type { ChartData, Line } from "./series.ts";

export interface ChartSpec {
  readonly lines: readonly Line[];
  readonly height: number;
  readonly format: (value: number) => string;
  /** Bytes: the axis goes in powers of two. */
  readonly binary: boolean;
  /** Charts of one key share their cursor. */
  readonly syncKey: string;
  readonly window: () => readonly [startSeconds: number, endSeconds: number];
  readonly onCursor: (index: number | undefined) => void;
}

export interface Chart {
  setData(data: ChartData): void;
  resize(width: number): void;
  destroy(): void;
}

/** Draws with uPlot; throws where there is no canvas to draw on. Colours are read once: destroy and create again when the theme changes. */
export function createChart(element: HTMLElement, spec: ChartSpec, data: ChartData): Chart {
  if (document.createElement("canvas").getContext("2d") === null) throw new Error("no canvas");
  const color = (name: string): string => resolveColor(element, name);
  const axis = {
    stroke: color("--text-faint"),
    font: "11px system-ui, sans-serif",
    grid: { stroke: color("--chart-grid"), width: 1 },
    ticks: { show: false },
  };
  const plot = new uPlot(
    {
      width: Math.max(200, element.clientWidth),
      height: spec.height,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: spec.syncKey }, y: false, drag: { x: false, y: false } },
      scales: {
        x: { range: () => [...spec.window()] as [number, number] },
        y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.08 : 1] },
      },
      axes: [
        {
          ...axis,
          size: 26,
          values: (_plot, splits) => splits.map((split) => formatTick(split, spec.window())),
        },
        {
          ...axis,
          size: 64,
          values: (_plot, splits) => splits.map((split) => spec.format(split)),
          ...(spec.binary && { incrs: powersOfTwo }),
        },
      ],
      series: [
        {},
        ...spec.lines.map((line) => ({
          label: line.label,
          stroke: color(line.color),
          width: 1.5,
          ...(line.dash && { dash: [...line.dash] }),
          points: { show: isolatedPointsOnly },
          spanGaps: false,
        })),
      ],
      hooks: {
        setCursor: [(self) => spec.onCursor(self.cursor.idx ?? undefined)],
      },
    },
    toAligned(data),
    element,
  );
  return {
    setData: (next) => plot.setData(toAligned(next)),
    resize: (width) => plot.setSize({ width: Math.max(200, width), height: spec.height }),
    destroy: () => plot.destroy(),
  };
}

/** A canvas needs a colour, not a token, which may be a choice between two. */
function resolveColor(element: HTMLElement, name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function toAligned(data: ChartData): uPlot.AlignedData {
  return [[...data.times], ...data.lines.map((line) => [...line])];
}

/** A lone value between gaps has no line to be seen by. Shows points while there are few. */
function isolatedPointsOnly(plot: uPlot, seriesIndex: number): boolean {
  const values = plot.data[seriesIndex] ?? [];
  let known = 0;
  for (const value of values) if (value !== null && value !== undefined) known++;
  return known <= 2;
}

const powersOfTwo = Array.from({ length: 60 }, (_, power) => 2 ** power);

const hourMinute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const hourMinuteSecond = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const dayMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

function formatTick(seconds: number, [start, end]: readonly [number, number]): string {
  const date = new Date(seconds * 1000);
  if (end - start > 2 * 86_400) return dayMonth.format(date);
  return seconds % 60 === 0 ? hourMinute.format(date) : hourMinuteSecond.format(date);
}
