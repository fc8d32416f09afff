import { Show, type JSX } from "solid-js";

import type { Template } from "#gen/vectorflow/v1/template_pb.ts";
import { TemplateService } from "#gen/vectorflow/v1/template_service_pb.ts";

import { useRead } from "../state/create-read.ts";
import { useClient } from "../state/use-client.ts";
import { Dialog } from "../ui/dialog.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { TemplateForm } from "./template-form.tsx";

/** Changes a template of the team. */
export function EditTemplate(props: {
  template: Template;
  teamId: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onDone: (text: string) => void;
}): JSX.Element {
  return (
    <Dialog
      open={props.open}
      onOpenChange={props.onOpenChange}
      title={`Edit ${props.template.name}`}
      description="Pipelines that were made from it stay as they are."
      sheet
    >
      <Show when={props.open}>
        <Loaded
          id={props.template.id}
          teamId={props.teamId}
          onCancel={() => props.onOpenChange(false)}
          onDone={props.onDone}
        />
      </Show>
    </Dialog>
  );
}

function Loaded(props: {
  id: string;
  teamId: string;
  onCancel: () => void;
  onDone: (text: string) => void;
}): JSX.Element {
  const templates = useClient(TemplateService);
  const read = useRead(
    TemplateService.method.getTemplate,
    () => ({ teamId: props.teamId, id: props.id }),
    { staleTime: 0 },
  );
  return (
    <QueryView read={read} skeletonRows={6}>
      {(answer) => (
        <Show when={answer().template} keyed>
          {({ name, description, category, yaml, parameters }) => (
            <TemplateForm
              initial={{ name, description, category, yaml, parameters }}
              label="Save template"
              save={async (draft) => {
                const { teamId, id } = props;
                await templates.updateTemplate({ teamId, id, ...draft });
                props.onDone(`The template ${draft.name} was saved`);
              }}
              onCancel={props.onCancel}
            />
          )}
        </Show>
      )}
    </QueryView>
  );
}
