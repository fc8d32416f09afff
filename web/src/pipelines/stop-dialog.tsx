import { createEffect, createSignal, on, Show, type JSX } from "solid-js";

import { toUiError } from "../api/errors.ts";
import { useApi } from "../state/api.tsx";
import { ConfirmDialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { showToast } from "../ui/toast.tsx";
import { usePipeline } from "./pipeline-context.tsx";

export type Stop = "pause" | "undeploy";

/** Takes a pipeline off its hosts, for a while or for good. Both can be taken back from the toast. */
export function StopDialog(props: {
  what: Stop | undefined;
  onClose: () => void;
  onUndo: (version: number) => void;
}): JSX.Element {
  const { clients } = useApi();
  const pipeline = usePipeline();
  const [reason, setReason] = createSignal("");
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<string>();
  createEffect(
    on(
      () => props.what,
      () => {
        setReason("");
        setError(undefined);
      },
    ),
  );
  const name = (): string => pipeline.live().summary?.name ?? "";
  const label = (): string => (props.what === "pause" ? "Pause" : "Undeploy");
  const stop = async (): Promise<void> => {
    const request = { id: pipeline.id, reason: reason().trim() };
    const pausing = props.what === "pause";
    setBusy(true);
    setError(undefined);
    try {
      const { version } = pausing
        ? await clients.lifecycle.pausePipeline(request)
        : await clients.pipelines.undeployPipeline(request);
      props.onClose();
      const { onUndo } = props;
      showToast(
        pausing ? `${name()} is paused` : `${name()} is taken off all hosts`,
        "ok",
        version === 0 ? undefined : { label: "Undo", onClick: () => onUndo(version) },
      );
    } catch (thrown) {
      setError(toUiError(thrown).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <ConfirmDialog
      open={props.what !== undefined}
      onOpenChange={(open) => !open && props.onClose()}
      title={`${label()} ${name()}?`}
      confirmLabel={label()}
      busy={busy()}
      error={error()}
      onConfirm={() => void stop()}
    >
      <Show
        when={props.what === "pause"}
        fallback={<p>All hosts stop running it. The draft and the versions stay.</p>}
      >
        <p>
          All hosts stop running it, and keep what its sources and buffers have on disk. Resume puts
          the same version back. What is sent to its sources meanwhile is refused or waits, as the
          sender does it.
        </p>
      </Show>
      <TextField label="Reason" value={reason()} onValue={setReason} autocomplete="off" />
    </ConfirmDialog>
  );
}
