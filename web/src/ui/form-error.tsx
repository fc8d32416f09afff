import { Show, type JSX } from "solid-js";

import "./dialog.css";

/** Why what a person wanted was not done; nothing while there is no text. Screen readers say it at once. */
export function FormError(props: { text: string | undefined }): JSX.Element {
  return (
    <Show when={props.text}>
      <p role="alert" class="dialog-error">
        {props.text}
      </p>
    </Show>
  );
}
