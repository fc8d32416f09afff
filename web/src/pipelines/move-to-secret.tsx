import { createEffect, createSignal, on, type JSX } from "solid-js";

import type { Problem } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { useApi } from "../state/api.tsx";
import { createAction } from "../ui/action.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { showToast } from "../ui/toast.tsx";
import { usePipeline } from "./pipeline-context.tsx";

/** Takes a value out of the draft and keeps it as a secret. */
export function MoveToSecretDialog(props: {
  problem: Problem | undefined;
  onClose: () => void;
}): JSX.Element {
  const { clients } = useApi();
  const { id, draft } = usePipeline();
  const action = createAction();
  const [name, setName] = createSignal("");
  const [unsaved, setUnsaved] = createSignal(false);
  const error = (): string | undefined =>
    unsaved() ? "The draft could not be saved, so nothing was moved." : action.error();
  createEffect(
    on(
      () => props.problem,
      (problem) => {
        action.reset();
        setUnsaved(false);
        setName(problem?.fix?.kind.case === "moveToSecret" ? problem.fix.kind.value : "");
      },
    ),
  );
  const place = (): string => `${props.problem?.componentKey}.${props.problem?.field}`;
  const move = async (problem: Problem): Promise<void> => {
    // The server moves what is saved, so that both happen together.
    const saved = await draft.flush();
    setUnsaved(!saved);
    if (!saved) return;
    const done = await action.run(async () => {
      const { pipeline, versionsWithValue } = await clients.secrets.moveValueToSecret({
        pipelineId: id,
        revision: draft.revision(),
        componentKey: problem.componentKey,
        field: problem.field,
        secretName: name().trim(),
      });
      draft.adopt({
        yaml: pipeline?.yaml ?? "",
        revision: pipeline?.revision ?? "",
        updatedBy: pipeline?.summary?.updatedBy ?? "",
      });
      showToast(
        versionsWithValue.length === 0
          ? `The value is the secret ${name().trim()} now`
          : `The value is a secret now. Version ${versionsWithValue.join(", ")} has it in clear: replace it where it comes from`,
      );
    });
    if (done) props.onClose();
  };
  return (
    <Dialog
      open={props.problem !== undefined}
      onOpenChange={(open) => !open && props.onClose()}
      title="Keep it as a secret?"
      footer={
        <>
          <Button onClick={() => props.onClose()}>Cancel</Button>
          <Button
            variant="primary"
            loading={action.busy()}
            disabledReason={name().trim() === "" ? "Name the secret first" : undefined}
            onClick={() => props.problem && void move(props.problem)}
          >
            Move to secret
          </Button>
        </>
      }
    >
      <p>
        The value at <code>{place()}</code> is taken out of the draft, and{" "}
        <code>SECRET[{name().trim() || "name"}]</code> stands there instead. Nothing else in the
        text changes.
      </p>
      <TextField
        label="Name of the secret"
        autocomplete="off"
        spellcheck={false}
        value={name()}
        onValue={setName}
      />
      <FormError text={error()} />
    </Dialog>
  );
}
