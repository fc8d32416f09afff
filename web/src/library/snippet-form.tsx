import { type JSX } from "solid-js";

import type { Snippet } from "#gen/vectorflow/v1/snippet_pb.ts";

import { SnippetService } from "#gen/vectorflow/v1/snippet_service_pb.ts";

import { useClient } from "../state/use-client.ts";
import { Button } from "../ui/button.tsx";
import { Checkbox, TextArea, TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm } from "../ui/form.ts";

/** Makes a snippet of the team, or changes one. The server compiles it before it is kept. */
export function SnippetForm(props: {
  teamId: string;
  snippet?: Snippet;
  onCancel: () => void;
  onDone: (message: string) => void;
}): JSX.Element {
  const snippets = useClient(SnippetService);
  // What the form was opened with; the fields go on from it.
  const before = props.snippet;
  const form = createForm({
    initial: {
      name: before?.name ?? "",
      description: before?.description ?? "",
      category: before?.category ?? "",
      code: before?.code ?? "",
      condition: before?.condition ?? false,
    },
    wire: { name: "name", description: "description", category: "category", code: "code" },
    validate: ({ name, code }) => ({
      ...(name.trim() === "" && { name: "Give it a name." }),
      ...(code.trim() === "" && { code: "Write the program." }),
    }),
    async submit(values) {
      const { teamId } = props;
      if (before === undefined) await snippets.createSnippet({ teamId, ...values });
      else await snippets.updateSnippet({ teamId, id: before.id, etag: before.etag, ...values });
      props.onDone(`The snippet ${values.name} was saved`);
    },
  });
  const text = (name: "name" | "description" | "category" | "code") => ({
    get value(): string {
      return form.values[name];
    },
    get error(): string | undefined {
      return form.error(name);
    },
    onValue: (value: string) => form.set(name, value),
    autocomplete: "off",
  });
  return (
    <form class="secret-form snippet-form" onSubmit={form.onSubmit} novalidate>
      <TextField label="Name" {...text("name")} />
      <TextField label="Description" {...text("description")} />
      <TextField label="Category" hint="As in Parse, Redact, Filter" {...text("category")} />
      <TextArea label="Program" rows={8} spellcheck={false} {...text("code")} />
      <Checkbox
        label="It is a condition"
        hint="It gives true or false and changes nothing."
        checked={form.values.condition}
        onChecked={(condition) => form.set("condition", condition)}
      />
      <FormError text={form.formError()} />
      <div class="row-buttons">
        <Button onClick={() => props.onCancel()}>Cancel</Button>
        <Button type="submit" variant="primary" loading={form.submitting()}>
          Save snippet
        </Button>
      </div>
    </form>
  );
}
