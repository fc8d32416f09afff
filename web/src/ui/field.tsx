import { createUniqueId, Index, Show, splitProps, type JSX } from "solid-js";

import "./field.css";

interface FieldProps {
  label: string;
  hint?: string;
  error?: string | undefined;
}

/** A labelled one-line text input. */
export function TextField(
  props: FieldProps & {
    value: string;
    onValue: (value: string) => void;
  } & Omit<JSX.InputHTMLAttributes<HTMLInputElement>, "value" | "onInput">,
): JSX.Element {
  const [own, rest] = splitProps(props, ["label", "hint", "error", "value", "onValue"]);
  const id = createUniqueId();
  return (
    <div class="field">
      <label for={id}>{own.label}</label>
      <input
        type="text"
        {...rest}
        id={id}
        class="input"
        value={own.value}
        onInput={(event) => own.onValue(event.currentTarget.value)}
        aria-invalid={own.error === undefined ? undefined : "true"}
        aria-describedby={`${id}-note`}
      />
      <FieldNote id={`${id}-note`} hint={own.hint} error={own.error} />
    </div>
  );
}

/** A labelled text of several lines. */
export function TextArea(
  props: FieldProps & {
    value: string;
    onValue: (value: string) => void;
  } & Omit<JSX.TextareaHTMLAttributes<HTMLTextAreaElement>, "value" | "onInput">,
): JSX.Element {
  const [own, rest] = splitProps(props, ["label", "hint", "error", "value", "onValue"]);
  const id = createUniqueId();
  return (
    <div class="field">
      <label for={id}>{own.label}</label>
      <textarea
        {...rest}
        id={id}
        class="input"
        value={own.value}
        onInput={(event) => own.onValue(event.currentTarget.value)}
        aria-invalid={own.error === undefined ? undefined : "true"}
        aria-describedby={`${id}-note`}
      />
      <FieldNote id={`${id}-note`} hint={own.hint} error={own.error} />
    </div>
  );
}

function FieldNote(props: {
  id: string;
  hint: string | undefined;
  error: string | undefined;
}): JSX.Element {
  return (
    <p id={props.id} class="field-note" data-error={props.error === undefined ? undefined : ""}>
      {props.error ?? props.hint ?? ""}
    </p>
  );
}

export function Checkbox(props: {
  label: string;
  hint?: string;
  checked: boolean;
  onChecked: (checked: boolean) => void;
}): JSX.Element {
  const id = createUniqueId();
  return (
    <div class="checkbox">
      <input
        id={id}
        type="checkbox"
        checked={props.checked}
        onChange={(event) => props.onChecked(event.currentTarget.checked)}
        aria-describedby={props.hint === undefined ? undefined : `${id}-note`}
      />
      <div>
        <label for={id}>{props.label}</label>
        <Show when={props.hint}>
          <p id={`${id}-note`} class="field-note">
            {props.hint}
          </p>
        </Show>
      </div>
    </div>
  );
}

/** A native select: works everywhere, with keyboard and touch. The label is for screen readers. */
export function Select<T extends string>(props: {
  label: string;
  value: T;
  options: readonly { readonly value: T; readonly label: string }[];
  onValue: (value: T) => void;
}): JSX.Element {
  return (
    <select
      class="select"
      aria-label={props.label}
      value={props.value}
      onChange={(event) => {
        const chosen = props.options.find(({ value }) => value === event.currentTarget.value);
        if (chosen) props.onValue(chosen.value);
      }}
    >
      {/* The elements stay when options are made anew, as with each live update: one may be about to be chosen. */}
      <Index each={props.options}>
        {(option) => (
          <option value={option().value} selected={option().value === props.value}>
            {option().label}
          </option>
        )}
      </Index>
    </select>
  );
}
