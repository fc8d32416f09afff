import { Show, type JSX } from "solid-js";

import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";

import { TemplateService } from "#gen/vectorflow/v1/template_service_pb.ts";

import { useRead } from "../state/create-read.ts";
import { useClient } from "../state/use-client.ts";
import { Dialog } from "../ui/dialog.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { showToast } from "../ui/toast.tsx";
import { parametersOf } from "./template-fields.tsx";
import { TemplateForm } from "./template-form.tsx";

import "../secrets/secrets.css";
import "./library.css";

/** Makes a template of a pipeline's saved draft. References to secrets stay references. */
export function SaveAsTemplate(props: {
  pipelineId: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}): JSX.Element {
  return (
    <Dialog
      open={props.open}
      onOpenChange={props.onOpenChange}
      title="Save as template"
      description="Everyone in your team can start pipelines from it, in every environment."
      sheet
    >
      <Show when={props.open}>
        <Loaded pipelineId={props.pipelineId} onClose={() => props.onOpenChange(false)} />
      </Show>
    </Dialog>
  );
}

function Loaded(props: { pipelineId: string; onClose: () => void }): JSX.Element {
  const templates = useClient(TemplateService);
  const read = useRead(PipelineService.method.getPipeline, () => ({ id: props.pipelineId }), {
    staleTime: 0,
  });
  return (
    <QueryView read={read} skeletonRows={6}>
      {(answer) => (
        <Show when={answer().pipeline} keyed>
          {({ summary, yaml }) => (
            <TemplateForm
              initial={{
                name: summary?.name ?? "",
                description: summary?.description ?? "",
                category: "",
                yaml,
                parameters: [...parametersOf(yaml, [])],
              }}
              label="Save template"
              save={async (draft) => {
                const { pipelineId } = props;
                await templates.createTemplate({ pipelineId, ...draft });
                props.onClose();
                showToast(`The template ${draft.name} was saved`);
              }}
              onCancel={props.onClose}
            />
          )}
        </Show>
      )}
    </QueryView>
  );
}
