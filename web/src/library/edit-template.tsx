import { createSignal, onMount, Show, type JSX } from "solid-js";

import type { Template } from "#gen/vectorflow/v1/template_pb.ts";
import { TemplateService } from "#gen/vectorflow/v1/template_service_pb.ts";

import { toUiError, type UiError } from "../api/errors.ts";
import { useClient } from "../state/use-client.ts";
import { Dialog } from "../ui/dialog.tsx";
import { ErrorBox, Skeleton } from "../ui/feedback.tsx";
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
  // Read once: what was opened does not change under what is typed.
  const [template, setTemplate] = createSignal<Template>();
  const [error, setError] = createSignal<UiError>();
  const load = async (): Promise<void> => {
    const { teamId, id } = props;
    setError(undefined);
    try {
      setTemplate((await templates.getTemplate({ teamId, id })).template);
    } catch (thrown) {
      setError(toUiError(thrown));
    }
  };
  onMount(() => void load());
  return (
    <>
      <Show when={error()}>
        {(problem) => <ErrorBox error={problem()} onRetry={() => void load()} />}
      </Show>
      <Show when={template()} keyed fallback={error() ? undefined : <Skeleton rows={6} />}>
        {({ name, description, category, yaml, parameters, etag }) => (
          <TemplateForm
            initial={{ name, description, category, yaml, parameters }}
            label="Save template"
            save={async (draft) => {
              const { teamId, id } = props;
              await templates.updateTemplate({ teamId, id, ...draft, etag });
              props.onDone(`The template ${draft.name} was saved`);
            }}
            onCancel={props.onCancel}
          />
        )}
      </Show>
    </>
  );
}
