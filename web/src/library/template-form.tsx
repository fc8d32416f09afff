import { createSignal, type JSX } from "solid-js";

import { toUiError } from "../api/errors.ts";
import { createAction } from "../ui/action.ts";
import { FormError } from "../ui/form-error.tsx";
import {
  createTemplateDraft,
  TemplateButtons,
  TemplateFields,
  type TemplateDraft,
} from "./template-fields.tsx";

/** The form of a template; `save` is what its button does. */
export function TemplateForm(props: {
  initial: TemplateDraft;
  label: string;
  save: (draft: TemplateDraft) => Promise<void>;
  onCancel: () => void;
}): JSX.Element {
  // The fields go on from what the dialog was opened with.
  const initial = props.initial;
  const [draft, setDraft] = createTemplateDraft(initial);
  const [errors, setErrors] = createSignal<Readonly<Record<string, string>>>({});
  const action = createAction();
  const submit = (): Promise<boolean> => {
    setErrors({});
    return action.run(async () => {
      try {
        await props.save({ ...draft });
      } catch (thrown) {
        const { violations } = toUiError(thrown);
        setErrors(Object.fromEntries(violations.map(({ field, message }) => [field, message])));
        throw thrown;
      }
    });
  };
  return (
    <form
      class="secret-form"
      novalidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <TemplateFields draft={draft} set={setDraft} errors={errors()} />
      <FormError text={action.error()} />
      <TemplateButtons label={props.label} busy={action.busy()} onCancel={props.onCancel} />
    </form>
  );
}
