import { createMemo, createSignal, For, onCleanup, onMount, Show, type JSX } from "solid-js";

import { visibleRange } from "./visible-range.ts";

import "./data-table.css";

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /** A track of the grid, as in "minmax(160px, 2fr)". */
  readonly track: string;
  readonly align?: "end";
  readonly sortable?: boolean;
  readonly cell: (row: () => Row) => JSX.Element;
}

export interface Sort {
  readonly column: string;
  readonly descending: boolean;
}

export const rowHeight = 36;
const overscan = 8;

/**
 * A table that draws only the rows in view. Rows have one height, order is decided outside, and a
 * cell's own signals update it in place.
 */
export function DataTable<Row>(props: {
  label: string;
  ids: readonly string[];
  row: (id: string) => Row | undefined;
  columns: readonly Column<Row>[];
  sort?: Sort;
  onSort?: (sort: Sort) => void;
  onHover?: (hovered: boolean) => void;
  stale?: boolean;
}): JSX.Element {
  const [scrollTop, setScrollTop] = createSignal(0);
  const [height, setHeight] = createSignal(720);
  let viewport: HTMLDivElement | undefined;
  onMount(() => {
    if (viewport === undefined || typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined && entry.contentRect.height > 0) setHeight(entry.contentRect.height);
    });
    observer.observe(viewport);
    onCleanup(() => observer.disconnect());
  });
  const range = createMemo(
    () => visibleRange(scrollTop(), height(), rowHeight, props.ids.length, overscan),
    undefined,
    { equals: (a, b) => a.start === b.start && a.end === b.end },
  );
  const visible = (): readonly string[] => props.ids.slice(range().start, range().end);
  const template = (): string => props.columns.map(({ track }) => track).join(" ");

  return (
    <div
      class="data-table"
      classList={{ stale: props.stale === true }}
      ref={(node) => {
        viewport = node;
      }}
      onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
      onPointerEnter={() => props.onHover?.(true)}
      onPointerLeave={() => props.onHover?.(false)}
      onKeyDown={moveBetweenRows}
    >
      <div
        role="table"
        aria-label={props.label}
        aria-rowcount={props.ids.length + 1}
        aria-colcount={props.columns.length}
        class="data-table-inner"
        style={{ "--columns": template(), "min-width": `${leastWidth(props.columns)}px` }}
      >
        <div role="rowgroup" class="data-head">
          <div role="row" aria-rowindex={1} class="data-row">
            <For each={props.columns}>
              {(column) => <HeaderCell column={column} sort={props.sort} onSort={props.onSort} />}
            </For>
          </div>
        </div>
        <div
          role="rowgroup"
          class="data-body"
          style={{ height: `${props.ids.length * rowHeight}px` }}
        >
          <For each={visible()}>
            {(id, index) => (
              <Show when={props.row(id)}>
                {(row) => (
                  <div
                    role="row"
                    class="data-row"
                    aria-rowindex={range().start + index() + 2}
                    style={{ transform: `translateY(${(range().start + index()) * rowHeight}px)` }}
                  >
                    <For each={props.columns}>
                      {(column) => (
                        <div role="cell" class="data-cell" data-align={column.align}>
                          {column.cell(row)}
                        </div>
                      )}
                    </For>
                  </div>
                )}
              </Show>
            )}
          </For>
        </div>
      </div>
    </div>
  );
}

function HeaderCell<Row>(props: {
  column: Column<Row>;
  sort: Sort | undefined;
  onSort: ((sort: Sort) => void) | undefined;
}): JSX.Element {
  const descending = (): boolean | undefined =>
    props.sort?.column === props.column.id ? props.sort.descending : undefined;
  const order = (): "ascending" | "descending" | "none" | undefined => {
    if (props.column.sortable !== true) return undefined;
    const value = descending();
    return value === undefined ? "none" : value ? "descending" : "ascending";
  };
  return (
    <div role="columnheader" class="data-cell" data-align={props.column.align} aria-sort={order()}>
      <Show when={props.column.sortable} fallback={props.column.title}>
        <button
          type="button"
          class="data-sort"
          onClick={() =>
            props.onSort?.({ column: props.column.id, descending: descending() === false })
          }
        >
          {props.column.title}
          <Show when={descending() !== undefined}>
            <span aria-hidden="true">{descending() === true ? "↓" : "↑"}</span>
          </Show>
        </button>
      </Show>
    </div>
  );
}

/** Below this width the table scrolls sideways: the least widths of its tracks, and the padding. */
function leastWidth(columns: readonly { readonly track: string }[]): number {
  const padding = 16;
  return columns.reduce((sum, { track }) => sum + Number(/\d+/.exec(track)?.[0] ?? 0), padding);
}

/** Arrow keys go from one row's link to the next. */
function moveBetweenRows(event: KeyboardEvent): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const row = (event.target as Element).closest(".data-body .data-row");
  const next = event.key === "ArrowDown" ? row?.nextElementSibling : row?.previousElementSibling;
  const link = next?.querySelector<HTMLElement>("a");
  if (!link) return;
  event.preventDefault();
  link.focus();
}
