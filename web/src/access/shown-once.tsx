import type { JSX } from "solid-js";

import { CopyButton } from "../ui/copy-button.tsx";

import "./access.css";

/** A secret that is shown now and never again. */
export function ShownOnce(props: { label: string; value: string }): JSX.Element {
  return (
    <div class="shown-once">
      <code aria-label={props.label}>{props.value}</code>
      <CopyButton text={props.value} />
    </div>
  );
}
