import { useNavigate } from "@solidjs/router";
import { createEffect, on, type JSX } from "solid-js";

import { useApi } from "../state/api.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm } from "../ui/form.ts";
import { showToast } from "../ui/toast.tsx";
import { usePipeline } from "./pipeline-context.tsx";

/** Makes a draft of another name with this pipeline's draft and settings, and goes there. */
export function CloneDialog(props: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const navigate = useNavigate();
  const pipeline = usePipeline();
  const form = createForm({
    initial: { name: "" },
    wire: { name: "name" },
    validate: () => ({}),
    async submit(values) {
      await pipeline.draft.flush();
      const { pipeline: clone } = await clients.lifecycle.clonePipeline({
        id: pipeline.id,
        name: values.name.trim(),
      });
      props.onOpenChange(false);
      navigate(`${environment.path("pipelines", clone?.summary?.id ?? "")}?tab=edit`);
      showToast(`${clone?.summary?.name ?? "The clone"} is a draft: no host runs it yet`);
    },
  });
  createEffect(
    on(
      () => props.open,
      (open) => open && form.set("name", ""),
    ),
  );
  return (
    <Dialog
      open={props.open}
      onOpenChange={props.onOpenChange}
      title="Clone pipeline"
      description="The draft, the hosts that it is for, the log level, the limits and whether its tests must pass are copied. Nothing is deployed."
    >
      <form class="stack" onSubmit={form.onSubmit} novalidate>
        <TextField
          label="Name of the clone"
          hint={`Empty: ${pipeline.live().summary?.name ?? ""} copy`}
          value={form.values.name}
          onValue={(value) => form.set("name", value)}
          error={form.error("name")}
          autocomplete="off"
        />
        <FormError text={form.formError()} />
        <div class="form-actions">
          <Button type="submit" variant="primary" loading={form.submitting()}>
            Clone
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
