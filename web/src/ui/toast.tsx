import { Toast, toaster } from "@kobalte/core/toast";
import X from "lucide-solid/icons/x";
import { Show, type JSX } from "solid-js";

import { Button } from "./button.tsx";

import "./toast.css";

/** Long enough to see that it was the wrong one. */
const undoMs = 15_000;

/** Where toasts appear; once per page. Reached by keyboard with Alt+T. */
export function ToastRegion(): JSX.Element {
  return (
    <Toast.Region duration={5_000} limit={3} aria-label="Notifications">
      <Toast.List class="toast-list" />
    </Toast.Region>
  );
}

/**
 * Says that something worked, or repeats a failure that is also shown where it happened. With an action that takes
 * it back it stays longer.
 */
export function showToast(
  message: string,
  tone: "ok" | "bad" = "ok",
  undo?: { readonly label: string; readonly onClick: () => void },
): void {
  toaster.show((props) => (
    <Toast
      toastId={props.toastId}
      class="toast"
      data-tone={tone}
      {...(undo !== undefined && { duration: undoMs })}
    >
      <Toast.Description>{message}</Toast.Description>
      <Show when={undo}>
        {(action) => (
          <Button
            onClick={() => {
              toaster.dismiss(props.toastId);
              action().onClick();
            }}
          >
            {action().label}
          </Button>
        )}
      </Show>
      <Toast.CloseButton class="dialog-close" aria-label="Dismiss">
        <X size={14} aria-hidden="true" />
      </Toast.CloseButton>
    </Toast>
  ));
}
