import { For, Show, type JSX } from "solid-js";
import { createStore, type SetStoreFunction } from "solid-js/store";

import { TemplateParameterType } from "#gen/vectorflow/v1/template_pb.ts";

import { Button } from "../ui/button.tsx";
import { Checkbox, Select, TextArea, TextField } from "../ui/field.tsx";
import { placeholdersIn } from "./placeholders.ts";

/** A parameter while it is typed. */
export interface ParameterDraft {
  name: string;
  description: string;
  type: TemplateParameterType;
  default: string;
  required: boolean;
}

export interface TemplateDraft {
  name: string;
  description: string;
  category: string;
  yaml: string;
  parameters: ParameterDraft[];
}

const types = [
  { value: "1", label: "Text", type: TemplateParameterType.TEXT },
  { value: "2", label: "Number", type: TemplateParameterType.NUMBER },
  { value: "3", label: "True or false", type: TemplateParameterType.BOOLEAN },
  { value: "4", label: "Secret", type: TemplateParameterType.SECRET },
] as const;

/** A draft that fields are bound to; parameters follow the text. */
export function createTemplateDraft(
  initial: TemplateDraft,
): [TemplateDraft, SetStoreFunction<TemplateDraft>] {
  return createStore<TemplateDraft>({
    ...initial,
    parameters: initial.parameters.map((parameter) => ({ ...parameter })),
  });
}

/** The parameters that a text has, with what is known of those that it had. */
export function parametersOf(
  yaml: string,
  known: readonly ParameterDraft[],
): readonly ParameterDraft[] {
  return placeholdersIn(yaml).map(
    (name) =>
      known.find((parameter) => parameter.name === name) ?? {
        name,
        description: "",
        type: TemplateParameterType.TEXT,
        default: "",
        required: true,
      },
  );
}

/** The fields of a template; `errors` by field of the request. */
export function TemplateFields(props: {
  draft: TemplateDraft;
  set: SetStoreFunction<TemplateDraft>;
  errors: Readonly<Record<string, string>>;
}): JSX.Element {
  const setText = (yaml: string): void => {
    props.set("yaml", yaml);
    props.set("parameters", [...parametersOf(yaml, props.draft.parameters)]);
  };
  return (
    <>
      <TextField
        label="Name"
        autocomplete="off"
        value={props.draft.name}
        onValue={(name) => props.set("name", name)}
        error={props.errors["name"]}
      />
      <TextField
        label="Description"
        value={props.draft.description}
        onValue={(description) => props.set("description", description)}
        error={props.errors["description"]}
      />
      <TextField
        label="Category"
        hint="As in Search, Archive, Metrics"
        value={props.draft.category}
        onValue={(category) => props.set("category", category)}
        error={props.errors["category"]}
      />
      <TextArea
        label="Configuration"
        hint="Write PARAM[name] for what differs each time."
        rows={12}
        spellcheck={false}
        value={props.draft.yaml}
        onValue={setText}
        error={props.errors["yaml"]}
      />
      <For each={Object.entries(props.errors).filter(([field]) => field.startsWith("yaml."))}>
        {([field, message]) => (
          <p role="alert" class="dialog-error">
            <code>{field.slice("yaml.".length)}</code> {message}
          </p>
        )}
      </For>
      <Show when={props.draft.parameters.length > 0}>
        <ul class="parameter-list" aria-label="Parameters">
          <For each={props.draft.parameters}>
            {(parameter, index) => (
              <li>
                <code>{parameter.name}</code>
                <Select
                  label={`Type of ${parameter.name}`}
                  value={String(parameter.type) as (typeof types)[number]["value"]}
                  options={types}
                  onValue={(value) =>
                    props.set("parameters", index(), "type", Number(value) as TemplateParameterType)
                  }
                />
                <TextField
                  label={`Default of ${parameter.name}`}
                  value={parameter.default}
                  onValue={(value) => props.set("parameters", index(), "default", value)}
                  error={props.errors[`parameters.${index()}.default`]}
                />
                <TextField
                  label={`Description of ${parameter.name}`}
                  value={parameter.description}
                  onValue={(value) => props.set("parameters", index(), "description", value)}
                />
                <Checkbox
                  label={`${parameter.name} is required`}
                  checked={parameter.required}
                  onChecked={(required) => props.set("parameters", index(), "required", required)}
                />
              </li>
            )}
          </For>
        </ul>
      </Show>
    </>
  );
}

/** The buttons below the fields. */
export function TemplateButtons(props: {
  label: string;
  busy: boolean;
  onCancel: () => void;
}): JSX.Element {
  return (
    <div class="row-buttons">
      <Button onClick={() => props.onCancel()}>Cancel</Button>
      <Button type="submit" variant="primary" loading={props.busy}>
        {props.label}
      </Button>
    </div>
  );
}
