import { createMemo, createSignal, For, Match, Show, Switch, type JSX } from "solid-js";

import type { ComponentSample } from "#gen/vectorflow/v1/inspection_pb.ts";

import { plural } from "../lib/format.ts";
import { CopyButton } from "../ui/copy-button.tsx";
import { Notice } from "../ui/feedback.tsx";
import { cellText, membersOf, prettyJson } from "./json-text.ts";

import "../ui/plain-table.css";

type View = "events" | "table" | "fields";

const views: readonly { readonly id: View; readonly label: string }[] = [
  { id: "events", label: "JSON" },
  { id: "table", label: "Table" },
  { id: "fields", label: "Fields" },
];

/** What was sampled of one component: its events, and the fields they have. */
export function SampleResult(props: { component: ComponentSample }): JSX.Element {
  const [view, setView] = createSignal<View>("events");
  const count = (): number => props.component.events.length;
  return (
    <section class="sample-result" aria-label={`Sample of ${props.component.componentKey}`}>
      <header>
        <h3>{props.component.componentKey}</h3>
        <span class="muted">{plural(count(), "event")}</span>
        <div class="view-choice" role="group" aria-label="View">
          <For each={views}>
            {({ id, label }) => (
              <button type="button" aria-pressed={view() === id} onClick={() => setView(id)}>
                {label}
              </button>
            )}
          </For>
        </div>
        <Show when={count() > 0}>
          <CopyButton text={props.component.events.join("\n")} label="Copy events" />
        </Show>
      </header>
      <Show when={props.component.error}>
        {(error) => <Notice tone={count() > 0 ? "warn" : "bad"}>{error()}</Notice>}
      </Show>
      <Show when={count() > 0}>
        <Switch>
          <Match when={view() === "events"}>
            <ol class="event-list">
              <For each={props.component.events}>{(json) => <EventItem json={json} />}</For>
            </ol>
          </Match>
          <Match when={view() === "table"}>
            <EventTable events={props.component.events} />
          </Match>
          <Match when={view() === "fields"}>
            <FieldTable component={props.component} />
          </Match>
        </Switch>
      </Show>
    </section>
  );
}

/** One event on a line, and over many when it is opened. */
export function EventItem(props: { json: string; note?: JSX.Element }): JSX.Element {
  const [open, setOpen] = createSignal(false);
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          {props.note}
          <code>{props.json.slice(0, 400)}</code>
        </summary>
        <Show when={open()}>
          <pre tabIndex={0}>{prettyJson(props.json)}</pre>
        </Show>
      </details>
    </li>
  );
}

const maxColumns = 8;

/** The members that most events have, side by side. */
function EventTable(props: { events: readonly string[] }): JSX.Element {
  const rows = createMemo(() => props.events.map(membersOf));
  const columns = createMemo(() => {
    const counts = new Map<string, number>();
    for (const name of rows().flatMap((row) => [...row.keys()])) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return [...counts]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, maxColumns)
      .map(([name]) => name);
  });
  return (
    <div class="plain-table-scroll" tabIndex={0} role="region" aria-label="Events as a table">
      <table class="plain-table event-table">
        <thead>
          <tr>
            <For each={columns()}>{(name) => <th scope="col">{name}</th>}</For>
          </tr>
        </thead>
        <tbody>
          <For each={rows()}>
            {(row) => (
              <tr>
                <For each={columns()}>
                  {(name) => <td>{cellText(row.get(name) ?? "–").slice(0, 200)}</td>}
                </For>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
}

/** The inferred schema: every path, its types, and how many of the events have it. */
function FieldTable(props: { component: ComponentSample }): JSX.Element {
  const total = (): number => props.component.events.length;
  return (
    <div class="plain-table-scroll">
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">Path</th>
            <th scope="col">Types</th>
            <th scope="col" class="number">
              In events
            </th>
          </tr>
        </thead>
        <tbody>
          <For each={props.component.fields}>
            {(field) => (
              <tr>
                <th scope="row" class="field-path" style={{ "--depth": depthOf(field.path) }}>
                  <code>{field.path}</code>
                </th>
                <td>{field.types.join(" or ") || "unknown"}</td>
                <td class="number">
                  {field.eventCount === total() ? "all" : `${field.eventCount} of ${total()}`}
                </td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
}

/** How deep a path is, for its indentation. */
function depthOf(path: string): number {
  const steps = path.replaceAll(/"(?:[^"\\]|\\.)*"/g, "x").match(/\.[^.[]+|\[\]/g);
  return Math.max(0, (steps?.length ?? 0) - 1);
}
