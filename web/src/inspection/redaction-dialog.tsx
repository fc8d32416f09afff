import { createEffect, createSignal, on, Show, type JSX } from "solid-js";

import { toUiError, type UiError } from "../api/errors.ts";
import { useApi } from "../state/api.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextArea } from "../ui/field.tsx";
import { showToast } from "../ui/toast.tsx";

/** Opens the redaction rules of the environment. */
export function RedactionButton(props: { environmentId: string }): JSX.Element {
  const [open, setOpen] = createSignal(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>Redaction rules</Button>
      <RedactionDialog environmentId={props.environmentId} open={open()} onOpenChange={setOpen} />
    </>
  );
}

/** What no host of the environment lets out in samples and taps. All rules are replaced together. */
function RedactionDialog(props: {
  environmentId: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}): JSX.Element {
  const { clients } = useApi();
  const [fields, setFields] = createSignal("");
  const [values, setValues] = createSignal("");
  const [error, setError] = createSignal<UiError>();
  const [busy, setBusy] = createSignal(true);
  const during = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await work();
    } catch (thrown) {
      setError(toUiError(thrown));
    } finally {
      setBusy(false);
    }
  };
  const load = (): Promise<void> =>
    during(async () => {
      const { environmentId } = props;
      const { redaction } = await clients.inspection.getRedaction({ environmentId });
      setFields((redaction?.fieldGlobs ?? []).join("\n"));
      setValues((redaction?.valuePatterns ?? []).join("\n"));
    });
  const save = (): Promise<void> =>
    during(async () => {
      const { environmentId } = props;
      const redaction = { fieldGlobs: linesOf(fields()), valuePatterns: linesOf(values()) };
      await clients.inspection.setRedaction({ environmentId, redaction });
      props.onOpenChange(false);
      showToast("Redaction rules saved");
    });
  createEffect(
    on(
      () => props.open,
      (open) => {
        if (open) void load();
      },
    ),
  );
  const violation = (field: string): string | undefined =>
    error()?.violations.find((found) => found.field === `redaction.${field}`)?.message;
  return (
    <Dialog
      open={props.open}
      onOpenChange={props.onOpenChange}
      title="Redaction rules"
      description="Applied on the hosts of this environment, before anything leaves them. Well-known secrets are redacted anyway."
      footer={
        <>
          <Button onClick={() => props.onOpenChange(false)}>Cancel</Button>
          <Button variant="primary" loading={busy()} onClick={() => void save()}>
            Save rules
          </Button>
        </>
      }
    >
      <TextArea
        label="Fields"
        hint="One to a line, as in user.mail, *.iban, headers.** or pin (at any depth)."
        rows={5}
        value={fields()}
        onValue={setFields}
        error={violation("field_globs")}
      />
      <TextArea
        label="Values"
        hint="Regular expressions, one to a line, without look-around and back-references."
        rows={5}
        value={values()}
        onValue={setValues}
        error={violation("value_patterns")}
      />
      <Show when={(error()?.violations.length ?? 0) === 0 && error()}>
        {(current) => (
          <p role="alert" class="dialog-error">
            {current().message}
          </p>
        )}
      </Show>
    </Dialog>
  );
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
