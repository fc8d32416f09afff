import { createSignal, onCleanup, Show, type JSX } from "solid-js";

import type { UiError } from "../api/errors.ts";
import { Button } from "./button.tsx";

import "./feedback.css";

/** Shows its children only after a moment, so that quick answers do not flicker. */
export function Delayed(props: { ms?: number; children: JSX.Element }): JSX.Element {
  const [shown, setShown] = createSignal(false);
  // The delay is read once, when the wait starts.
  const timer = setTimeout(() => setShown(true), props.ms ?? 150);
  onCleanup(() => clearTimeout(timer));
  return <Show when={shown()}>{props.children}</Show>;
}

/** Grey bars in the shape of what is coming. */
export function Skeleton(props: { rows?: number; label?: string }): JSX.Element {
  return (
    <Delayed>
      <div class="skeleton" role="status" aria-label={props.label ?? "Loading"}>
        {Array.from({ length: props.rows ?? 4 }, () => (
          <span class="skeleton-bar" />
        ))}
      </div>
    </Delayed>
  );
}

/** Says what this place is for when there is nothing in it yet. */
export function EmptyState(props: {
  title: string;
  children?: JSX.Element;
  actions?: JSX.Element;
}): JSX.Element {
  return (
    <div class="empty-state">
      <h2>{props.title}</h2>
      <div class="empty-state-text">{props.children}</div>
      <Show when={props.actions}>
        <div class="empty-state-actions">{props.actions}</div>
      </Show>
    </div>
  );
}

/** A failure where it happened, with a way to try again. */
export function ErrorBox(props: {
  error: Pick<UiError, "message">;
  title?: string;
  onRetry?: (() => void) | undefined;
}): JSX.Element {
  return (
    <div class="notice" data-tone="bad" role="alert">
      <div>
        <strong>{props.title ?? "This could not be loaded."}</strong> {props.error.message}
      </div>
      <Show when={props.onRetry}>
        {(retry) => <Button onClick={() => retry()()}>Retry</Button>}
      </Show>
    </div>
  );
}

/** A quiet remark across the width of its section. */
export function Notice(props: {
  tone: "info" | "warn" | "bad" | "ok";
  children: JSX.Element;
  actions?: JSX.Element;
}): JSX.Element {
  return (
    <div class="notice" data-tone={props.tone}>
      <div>{props.children}</div>
      <Show when={props.actions}>
        <div class="notice-actions">{props.actions}</div>
      </Show>
    </div>
  );
}
