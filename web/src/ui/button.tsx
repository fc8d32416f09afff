import { A } from "@solidjs/router";
import { Show, splitProps, type JSX } from "solid-js";

import "./button.css";

type Variant = "primary" | "secondary" | "ghost" | "danger";

interface Look {
  variant?: Variant;
  /** Square, for a lone icon; then `aria-label` is needed. */
  square?: boolean;
}

/**
 * A button that says why it cannot be used: with `disabledReason` it stays focusable and describes
 * itself, instead of vanishing from the keyboard.
 */
export function Button(
  props: Look & {
    loading?: boolean;
    disabledReason?: string | undefined;
  } & JSX.ButtonHTMLAttributes<HTMLButtonElement>,
): JSX.Element {
  const [own, rest] = splitProps(props, [
    "variant",
    "square",
    "loading",
    "disabledReason",
    "children",
    "class",
    "onClick",
  ]);
  const blocked = (): boolean => own.loading === true || own.disabledReason !== undefined;
  return (
    <button
      type="button"
      {...rest}
      class={`button ${own.class ?? ""}`}
      data-variant={own.variant ?? "secondary"}
      data-square={own.square ? "" : undefined}
      data-loading={own.loading ? "" : undefined}
      aria-disabled={blocked() ? "true" : undefined}
      aria-busy={own.loading ? "true" : undefined}
      aria-description={own.disabledReason}
      title={own.disabledReason ?? rest.title}
      onClick={(event) => {
        if (blocked()) {
          event.preventDefault();
          return;
        }
        if (typeof own.onClick === "function") own.onClick(event);
      }}
    >
      <span class="button-content">{own.children}</span>
      <Show when={own.loading}>
        <span class="button-spinner" aria-hidden="true" />
      </Show>
    </button>
  );
}

/** A link that looks like a button. */
export function LinkButton(props: Look & { href: string; children: JSX.Element }): JSX.Element {
  return (
    <A
      href={props.href}
      class="button"
      data-variant={props.variant ?? "secondary"}
      activeClass=""
      inactiveClass=""
    >
      <span class="button-content">{props.children}</span>
    </A>
  );
}
