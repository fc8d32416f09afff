import { useNavigate } from "@solidjs/router";
import { createSignal, For, Show, type JSX } from "solid-js";
import { createStore } from "solid-js/store";

import { Severity, type Problem } from "#gen/vectorflow/v1/pipeline_pb.ts";
import {
  TemplateParameterType,
  type Template,
  type TemplateParameter,
} from "#gen/vectorflow/v1/template_pb.ts";

import { TemplateService } from "#gen/vectorflow/v1/template_service_pb.ts";

import { toUiError } from "../api/errors.ts";
import { useEnvironment } from "../state/environment.tsx";
import { useClient } from "../state/use-client.ts";
import { createAction } from "../ui/action.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Notice } from "../ui/feedback.tsx";
import { Checkbox, TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";

/** Fills a template in and makes a draft of it. */
export function UseTemplate(props: {
  template: Template;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}): JSX.Element {
  return (
    <Dialog
      open={props.open}
      onOpenChange={props.onOpenChange}
      title={`New pipeline: ${props.template.name}`}
      description="It becomes a draft. No host sees it before you deploy it."
    >
      <Show when={props.open}>
        <Fields template={props.template} onCancel={() => props.onOpenChange(false)} />
      </Show>
    </Dialog>
  );
}

function Fields(props: { template: Template; onCancel: () => void }): JSX.Element {
  const templates = useClient(TemplateService);
  const environment = useEnvironment();
  const navigate = useNavigate();
  const { template } = props;
  const [name, setName] = createSignal("");
  const [values, setValues] = createStore<Record<string, string>>(
    Object.fromEntries(template.parameters.map((parameter) => [parameter.name, parameter.default])),
  );
  const [errors, setErrors] = createSignal<Readonly<Record<string, string>>>({});
  const [preview, setPreview] = createSignal<{ yaml: string; problems: readonly Problem[] }>();
  const action = createAction();
  const request = () => ({
    environmentId: environment.id(),
    templateId: template.id,
    values: { ...values },
  });
  /** Runs a call; what is wrong with single fields is shown under them. */
  const run = (call: () => Promise<void>): Promise<boolean> => {
    setErrors({});
    return action.run(async () => {
      try {
        await call();
      } catch (thrown) {
        const { violations } = toUiError(thrown);
        setErrors(Object.fromEntries(violations.map(({ field, message }) => [field, message])));
        throw thrown;
      }
    });
  };
  const use = (): Promise<boolean> =>
    run(async () => {
      const { pipeline } = await templates.useTemplate({
        ...request(),
        name: name().trim(),
        description: "",
      });
      navigate(`${environment.path("pipelines", pipeline?.summary?.id ?? "")}?tab=edit`);
    });
  return (
    <form
      class="secret-form"
      novalidate
      onSubmit={(event) => {
        event.preventDefault();
        void use();
      }}
    >
      <TextField
        label="Name"
        autocomplete="off"
        value={name()}
        onValue={setName}
        error={errors()["name"]}
      />
      <For each={template.parameters}>
        {(parameter) => (
          <ParameterField
            parameter={parameter}
            value={values[parameter.name] ?? ""}
            error={errors()[`values.${parameter.name}`]}
            onValue={(value) => {
              setPreview(undefined);
              setValues(parameter.name, value);
            }}
          />
        )}
      </For>
      <Show when={preview()}>
        {(shown) => <Preview yaml={shown().yaml} problems={shown().problems} />}
      </Show>
      <FormError text={action.error()} />
      <div class="row-buttons">
        <Button onClick={() => props.onCancel()}>Cancel</Button>
        <Button
          loading={action.busy()}
          onClick={() =>
            void run(async () => {
              const { yaml, problems } = await templates.previewTemplate(request());
              setPreview({ yaml, problems });
            })
          }
        >
          Preview
        </Button>
        <Button type="submit" variant="primary" loading={action.busy()}>
          Create draft
        </Button>
      </div>
    </form>
  );
}

function ParameterField(props: {
  parameter: TemplateParameter;
  value: string;
  error: string | undefined;
  onValue: (value: string) => void;
}): JSX.Element {
  const hint = (): string =>
    [
      props.parameter.description,
      props.parameter.type === TemplateParameterType.SECRET ? "The name of a secret." : "",
      props.parameter.required ? "" : "May stay empty.",
    ]
      .filter((part) => part !== "")
      .join(" ");
  return (
    <Show
      when={props.parameter.type === TemplateParameterType.BOOLEAN}
      fallback={
        <TextField
          label={props.parameter.name}
          hint={hint()}
          autocomplete="off"
          spellcheck={false}
          {...(props.parameter.type === TemplateParameterType.NUMBER && {
            inputmode: "decimal" as const,
          })}
          value={props.value}
          onValue={props.onValue}
          error={props.error}
        />
      }
    >
      <Checkbox
        label={props.parameter.name}
        hint={hint()}
        checked={props.value === "true"}
        onChecked={(checked) => props.onValue(String(checked))}
      />
    </Show>
  );
}

function Preview(props: { yaml: string; problems: readonly Problem[] }): JSX.Element {
  return (
    <>
      <For each={props.problems}>
        {({ severity, componentKey, message }) => (
          <Notice tone={severity === Severity.ERROR ? "bad" : "warn"}>
            {componentKey === "" ? message : `${componentKey}: ${message}`}
          </Notice>
        )}
      </For>
      <pre class="template-preview" aria-label="Configuration" tabIndex={0}>
        {props.yaml}
      </pre>
    </>
  );
}
