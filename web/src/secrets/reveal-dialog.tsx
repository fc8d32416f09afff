import { createSignal, Show, type JSX } from "solid-js";

import type { Secret } from "#gen/vectorflow/v1/secret_pb.ts";

import { useApi } from "../state/api.tsx";
import { createAction } from "../ui/action.ts";
import { Button } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { FormError } from "../ui/form-error.tsx";

/** Shows the value only after one asked for it, and forgets it when it is closed. */
export function RevealDialog(props: {
  secret: Secret;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}): JSX.Element {
  const { clients } = useApi();
  const action = createAction();
  const [value, setValue] = createSignal<string>();
  const close = (open: boolean): void => {
    if (!open) setValue(undefined);
    props.onOpenChange(open);
  };
  const reveal = (): Promise<boolean> =>
    action.run(async () => {
      const { environmentId, id } = props.secret;
      setValue((await clients.secrets.revealSecret({ environmentId, id })).value);
    });
  return (
    <Dialog
      open={props.open}
      onOpenChange={close}
      title={`Reveal ${props.secret.name}?`}
      footer={
        <Show
          when={value() === undefined}
          fallback={<Button onClick={() => close(false)}>Close</Button>}
        >
          <Button onClick={() => close(false)}>Cancel</Button>
          <Button variant="primary" loading={action.busy()} onClick={() => void reveal()}>
            Reveal value
          </Button>
        </Show>
      }
    >
      <Show
        when={value() !== undefined}
        fallback={<p>The audit keeps who saw the value, and when.</p>}
      >
        <div class="secret-value">
          <code aria-label={`Value of ${props.secret.name}`}>{value()}</code>
          <CopyButton text={value() ?? ""} />
        </div>
      </Show>
      <FormError text={action.error()} />
    </Dialog>
  );
}
