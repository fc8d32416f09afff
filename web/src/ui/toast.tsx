import { Toast, toaster } from "@kobalte/core/toast";
import X from "lucide-solid/icons/x";
import type { JSX } from "solid-js";

import "./toast.css";

/** Where toasts appear; once per page. Reached by keyboard with Alt+T. */
export function ToastRegion(): JSX.Element {
  return (
    <Toast.Region duration={5_000} limit={3} aria-label="Notifications">
      <Toast.List class="toast-list" />
    </Toast.Region>
  );
}

/** Says that something worked, or repeats a failure that is also shown where it happened. */
export function showToast(message: string, tone: "ok" | "bad" = "ok"): void {
  toaster.show((props) => (
    <Toast toastId={props.toastId} class="toast" data-tone={tone}>
      <Toast.Description>{message}</Toast.Description>
      <Toast.CloseButton class="dialog-close" aria-label="Dismiss">
        <X size={14} aria-hidden="true" />
      </Toast.CloseButton>
    </Toast>
  ));
}
