import { createEffect, on, type JSX } from "solid-js";

import { useApi } from "../state/api.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm } from "../ui/form.ts";
import { usePipeline } from "./pipeline-context.tsx";

/** Changes the name and the description. Saves the draft first, since both share a revision. */
export function RenameDialog(props: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}): JSX.Element {
  const { clients } = useApi();
  const pipeline = usePipeline();
  const form = createForm({
    initial: { name: "", description: "" },
    wire: { name: "name", description: "description" },
    validate: (values) => ({
      ...(values.name.trim() === "" && { name: "Give the pipeline a name." }),
    }),
    async submit(values) {
      await pipeline.draft.flush();
      const answer = await clients.pipelines.updatePipeline({
        id: pipeline.id,
        revision: pipeline.draft.revision(),
        name: values.name.trim(),
        description: values.description.trim(),
      });
      pipeline.draft.adopt({
        yaml: answer.pipeline?.yaml ?? "",
        revision: answer.pipeline?.revision ?? "",
        updatedBy: answer.pipeline?.summary?.updatedBy ?? "",
      });
      props.onOpenChange(false);
    },
  });
  createEffect(
    on(
      () => props.open,
      (open) => {
        if (!open) return;
        form.set("name", pipeline.live().summary?.name ?? "");
        form.set("description", pipeline.live().summary?.description ?? "");
      },
    ),
  );
  return (
    <Dialog open={props.open} onOpenChange={props.onOpenChange} title="Rename pipeline">
      <form class="stack" onSubmit={form.onSubmit} novalidate>
        <TextField
          label="Name"
          value={form.values.name}
          onValue={(value) => form.set("name", value)}
          error={form.error("name")}
          autocomplete="off"
        />
        <TextField
          label="Description"
          value={form.values.description}
          onValue={(value) => form.set("description", value)}
          error={form.error("description")}
          autocomplete="off"
        />
        <FormError text={form.formError()} />
        <div class="form-actions">
          <Button type="submit" variant="primary" loading={form.submitting()}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
