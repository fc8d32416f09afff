import { type JSX } from "solid-js";

import { ComponentSchemaService } from "#gen/vectorflow/v1/component_schema_service_pb.ts";
import { ComponentKind } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { useApi } from "../state/api.tsx";
import { useRead } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Select } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm } from "../ui/form.ts";
import { QueryView } from "../ui/query-view.tsx";
import { showToast } from "../ui/toast.tsx";
import { usePipeline } from "./pipeline-context.tsx";

const kinds = [
  { value: "source", label: "Source" },
  { value: "transform", label: "Transform" },
  { value: "sink", label: "Sink" },
] as const;

const toProto = {
  source: ComponentKind.SOURCE,
  transform: ComponentKind.TRANSFORM,
  sink: ComponentKind.SINK,
} as const;

/** Adds a component to the draft, with a name of its own and the options that it must have. */
export function AddComponentDialog(props: { onClose: () => void }): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const { draft } = usePipeline();
  const read = useRead(ComponentSchemaService.method.getComponentCatalogue, () => ({
    environmentId: environment.id(),
  }));
  const form = createForm<{ kind: (typeof kinds)[number]["value"]; type: string }>({
    initial: { kind: "source", type: "" },
    wire: {},
    validate: ({ type }) => ({ ...(type === "" && { type: "Choose a type." }) }),
    async submit({ kind, type }) {
      const text = draft.text();
      const answer = await clients.pipelines.editPipelineText({
        environmentId: environment.id(),
        yaml: text,
        edit: { case: "addComponent", value: { kind: toProto[kind], type } },
      });
      if (draft.text() !== text) {
        showToast("Somebody changed the draft meanwhile: add it once more", "bad");
        return;
      }
      draft.edit(answer.yaml);
      for (const note of answer.notes) showToast(note);
      props.onClose();
    },
  });
  const types = () => (read.data()?.types ?? []).filter(({ kind }) => kind === chosenKind());
  const chosenKind = (): ComponentKind => toProto[form.values.kind];
  const about = (): string =>
    types().find(({ type }) => type === form.values.type)?.description ?? "";
  return (
    <Dialog open onOpenChange={(open) => !open && props.onClose()} title="Add a component">
      <QueryView read={read} skeletonRows={3}>
        {() => (
          <form class="stack" onSubmit={form.onSubmit} novalidate>
            <Select
              label="Kind"
              value={form.values.kind}
              options={kinds}
              onValue={(kind) => {
                form.set("kind", kind);
                form.set("type", "");
              }}
            />
            <Select
              label="Type"
              value={form.values.type}
              options={[
                { value: "", label: "Choose a type" },
                ...types().map(({ type, title }) => ({
                  value: type,
                  label: title === "" || title === type ? type : `${type} (${title})`,
                })),
              ]}
              onValue={(type) => form.set("type", type)}
            />
            <p class="muted">
              {about() ||
                "It goes to the end of its section; what it must have stands there empty."}
            </p>
            <FormError text={form.error("type") ?? form.formError()} />
            <div class="form-actions">
              <Button type="submit" variant="primary" loading={form.submitting()}>
                Add
              </Button>
            </div>
          </form>
        )}
      </QueryView>
    </Dialog>
  );
}
