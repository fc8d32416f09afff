import { createEffect, on, type JSX } from "solid-js";

import { useApi } from "../state/api.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Select, TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm } from "../ui/form.ts";
import { showToast } from "../ui/toast.tsx";
import { usePipeline } from "./pipeline-context.tsx";
import { renameTargets, type RenameTarget } from "./rename-targets.ts";

/** Gives a component or a route of the draft another name, and everything that reads it. */
export function RenamePartDialog(props: {
  /** Opens the dialog for this one. */
  target: RenameTarget | undefined;
  onClose: () => void;
}): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const { draft, preview } = usePipeline();
  const targets = (): RenameTarget[] => renameTargets(preview.checked()?.response.components ?? []);
  const chosen = (): RenameTarget | undefined =>
    targets().find(({ id }) => id === form.values.id) ?? props.target;
  const form = createForm({
    initial: { id: "", name: "" },
    wire: {},
    validate: ({ name }) => ({ ...(name.trim() === "" && { name: "Give it a name." }) }),
    async submit({ name }) {
      const target = chosen();
      if (target === undefined) return;
      const { component, output } = target;
      const text = draft.text();
      const answer = await clients.pipelines.editPipelineText({
        environmentId: environment.id(),
        yaml: text,
        edit:
          output === ""
            ? { case: "renameComponent", value: { key: component, newKey: name.trim() } }
            : {
                case: "renameOutput",
                value: { componentKey: component, name: output, newName: name.trim() },
              },
      });
      if (draft.text() !== text) {
        showToast("Somebody changed the draft meanwhile: rename it once more", "bad");
        return;
      }
      draft.edit(answer.yaml);
      for (const note of answer.notes) showToast(note);
      props.onClose();
    },
  });
  createEffect(
    on(
      () => props.target,
      (target) => {
        if (target === undefined) return;
        form.set("id", target.id);
        form.set("name", target.output || target.component);
      },
    ),
  );
  return (
    <Dialog
      open={props.target !== undefined}
      onOpenChange={(open) => !open && props.onClose()}
      title="Rename a component or a route"
    >
      <form class="stack" onSubmit={form.onSubmit} novalidate>
        <Select
          label="What to rename"
          value={form.values.id}
          options={targets().map(({ id }) => ({ value: id, label: id }))}
          onValue={(id) => {
            form.set("id", id);
            form.set("name", chosen()?.output || chosen()?.component || "");
          }}
        />
        <TextField
          label="New name"
          value={form.values.name}
          onValue={(value) => form.set("name", value)}
          error={form.error("name")}
          autocomplete="off"
          spellcheck={false}
        />
        <p class="muted">
          Inputs and unit tests that name it get the new name too. Patterns like <code>app_*</code>{" "}
          stay as they are.
        </p>
        <FormError text={form.formError()} />
        <div class="form-actions">
          <Button type="submit" variant="primary" loading={form.submitting()}>
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
