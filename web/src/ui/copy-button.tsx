import Check from "lucide-solid/icons/check";
import Copy from "lucide-solid/icons/copy";
import { createSignal, onCleanup, Show, type JSX } from "solid-js";

import { copyText } from "../lib/copy-text.ts";
import { Button } from "./button.tsx";

/** Copies a text and says so for a moment. */
export function CopyButton(props: { text: string; label?: string }): JSX.Element {
  const [state, setState] = createSignal<"idle" | "copied" | "failed">("idle");
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));
  const copy = async (): Promise<void> => {
    setState((await copyText(props.text)) ? "copied" : "failed");
    clearTimeout(timer);
    timer = setTimeout(() => setState("idle"), 2_500);
  };
  return (
    <Button onClick={() => void copy()}>
      <Show when={state() === "copied"} fallback={<Copy size={14} aria-hidden="true" />}>
        <Check size={14} aria-hidden="true" />
      </Show>
      <span aria-live="polite">
        {{ idle: props.label ?? "Copy", copied: "Copied", failed: "Select and copy it" }[state()]}
      </span>
    </Button>
  );
}
