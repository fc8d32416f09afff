import { Dialog as Kobalte } from "@kobalte/core/dialog";
import X from "lucide-solid/icons/x";
import type { JSX } from "solid-js";

import { TextField } from "./field.tsx";
import { Button } from "./button.tsx";
import { createEffect, createSignal, on, Show } from "solid-js";

import "./dialog.css";
import { FormError } from "./form-error.tsx";

/** A modal surface: in the middle, or as a sheet of full height at the right. */
export function Dialog(props: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: string;
  sheet?: boolean;
  children: JSX.Element;
  footer?: JSX.Element;
}): JSX.Element {
  return (
    <Kobalte open={props.open} onOpenChange={props.onOpenChange}>
      <Kobalte.Portal>
        <Kobalte.Overlay class="dialog-overlay" />
        <div class="dialog-positioner" data-sheet={props.sheet ? "" : undefined}>
          <Kobalte.Content class="dialog" data-sheet={props.sheet ? "" : undefined}>
            <header class="dialog-header">
              <div>
                <Kobalte.Title class="dialog-title">{props.title}</Kobalte.Title>
                <Show when={props.description}>
                  <Kobalte.Description class="muted">{props.description}</Kobalte.Description>
                </Show>
              </div>
              <Kobalte.CloseButton class="dialog-close" aria-label="Close">
                <X size={16} aria-hidden="true" />
              </Kobalte.CloseButton>
            </header>
            <div class="dialog-body">{props.children}</div>
            <Show when={props.footer}>
              <footer class="dialog-footer">{props.footer}</footer>
            </Show>
          </Kobalte.Content>
        </div>
      </Kobalte.Portal>
    </Kobalte>
  );
}

/** Asks before something that cannot be taken back. `typeName` makes a person write the name. */
export function ConfirmDialog(props: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  confirmLabel: string;
  typeName?: string;
  busy: boolean;
  error?: string | undefined;
  onConfirm: () => void;
  children: JSX.Element;
}): JSX.Element {
  const [typed, setTyped] = createSignal("");
  createEffect(
    on(
      () => props.open,
      () => setTyped(""),
    ),
  );
  const blocked = (): string | undefined =>
    props.typeName !== undefined && typed() !== props.typeName ? "Type the name first" : undefined;
  return (
    <Dialog
      open={props.open}
      onOpenChange={props.onOpenChange}
      title={props.title}
      footer={
        <>
          <Button onClick={() => props.onOpenChange(false)}>Cancel</Button>
          <Button
            variant="danger"
            loading={props.busy}
            disabledReason={blocked()}
            onClick={() => props.onConfirm()}
          >
            {props.confirmLabel}
          </Button>
        </>
      }
    >
      <div class="dialog-text">{props.children}</div>
      <Show when={props.typeName}>
        {(name) => (
          <TextField
            label={`Type ${name()} to confirm`}
            value={typed()}
            onValue={setTyped}
            autocomplete="off"
          />
        )}
      </Show>
      <FormError text={props.error} />
    </Dialog>
  );
}
