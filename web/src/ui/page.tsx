import { A, useLocation } from "@solidjs/router";
import { createEffect, For, onMount, Show, type JSX } from "solid-js";

import "./page.css";

/** The head of a page: where one is, what it is called, how it is, what one can do. */
export function PageHeader(props: {
  title: string;
  /** Leads upwards, as in "Hosts". */
  parent?: { readonly label: string; readonly href: string };
  badges?: JSX.Element;
  status?: JSX.Element;
  actions?: JSX.Element;
}): JSX.Element {
  let heading: HTMLHeadingElement | undefined;
  createEffect(() => {
    document.title = `${props.title} · VectorFlow`;
  });
  // After a navigation a screen reader starts at the new page's name. A field that asked for the
  // focus keeps it.
  onMount(() => {
    if (document.activeElement === null || document.activeElement === document.body) return;
    if (document.activeElement.closest("main") === null) heading?.focus({ preventScroll: true });
  });
  return (
    <header class="page-header">
      <div class="page-header-main">
        <div class="page-title">
          <Show when={props.parent}>
            {(parent) => (
              <A href={parent().href} class="page-parent" activeClass="" inactiveClass="" end>
                {parent().label}
              </A>
            )}
          </Show>
          <h1
            tabIndex={-1}
            ref={(node) => {
              heading = node;
            }}
          >
            {props.title}
          </h1>
          {props.badges}
        </div>
        <Show when={props.status}>
          <div class="page-status">{props.status}</div>
        </Show>
      </div>
      <div class="page-actions">{props.actions}</div>
    </header>
  );
}

/** The parts of one thing, as links: every part has its address. */
export function TabNav(props: {
  label: string;
  tabs: readonly { readonly id: string; readonly label: string; readonly badge?: string }[];
  current: string;
}): JSX.Element {
  const location = useLocation();
  const hrefOf = (id: string, first: boolean): string =>
    first ? location.pathname : `${location.pathname}?tab=${id}`;
  return (
    <nav class="tab-nav" aria-label={props.label}>
      <For each={props.tabs}>
        {(tab, index) => (
          <a
            href={hrefOf(tab.id, index() === 0)}
            class="tab-link"
            aria-current={props.current === tab.id ? "page" : undefined}
          >
            {tab.label}
            <Show when={tab.badge}>
              <span class="tab-badge">{tab.badge}</span>
            </Show>
          </a>
        )}
      </For>
    </nav>
  );
}

/** A titled box of a page. */
export function Section(props: {
  title: string;
  actions?: JSX.Element;
  flush?: boolean;
  children: JSX.Element;
}): JSX.Element {
  return (
    <section class="section">
      <header class="section-header">
        <h2>{props.title}</h2>
        <div class="section-actions">{props.actions}</div>
      </header>
      <div class="section-body" data-flush={props.flush ? "" : undefined}>
        {props.children}
      </div>
    </section>
  );
}

/** Names and values, as in the facts of a host. */
export function Facts(props: {
  facts: readonly (readonly [name: string, value: JSX.Element])[];
}): JSX.Element {
  return (
    <dl class="facts">
      <For each={props.facts}>
        {([name, value]) => (
          <div>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        )}
      </For>
    </dl>
  );
}
