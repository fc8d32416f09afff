import { createSignal, Show, type JSX } from "solid-js";

import { CertificateType, type Certificate } from "#gen/vectorflow/v1/secret_pb.ts";

import { useApi } from "../state/api.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Select, TextArea, TextField } from "../ui/field.tsx";
import { FormError } from "../ui/form-error.tsx";
import { createForm } from "../ui/form.ts";
import { deployedNames } from "./uses.tsx";

const types = [
  { value: "ca", label: "Authority (ca)", type: CertificateType.CA },
  { value: "cert", label: "Certificate (cert)", type: CertificateType.CERT },
  { value: "key", label: "Private key (key)", type: CertificateType.KEY },
] as const;

/** Adds a file in PEM, or replaces one. */
export function CertificateForm(props: {
  certificate?: Certificate;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onDone: (text: string) => void;
}): JSX.Element {
  return (
    <Dialog
      open={props.open}
      onOpenChange={props.onOpenChange}
      title={props.certificate ? `Replace ${props.certificate.name}` : "Add a certificate"}
      {...(props.certificate
        ? {}
        : { description: "Pipelines refer to it as CERT[name], which is its path on the host." })}
    >
      <Show when={props.open}>
        <Fields
          {...(props.certificate && { certificate: props.certificate })}
          onCancel={() => props.onOpenChange(false)}
          onDone={props.onDone}
        />
      </Show>
    </Dialog>
  );
}

function Fields(props: {
  certificate?: Certificate;
  onCancel: () => void;
  onDone: (text: string) => void;
}): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const [type, setType] = createSignal<(typeof types)[number]["value"]>("ca");
  const form = createForm({
    initial: { name: "", filename: "", content: "" },
    wire: { name: "name", filename: "filename", content: "content" },
    validate: (values) => ({
      ...(props.certificate === undefined && values.name === "" && { name: "Give it a name." }),
      ...(values.content.trim() === "" && { content: "Choose a file, or paste PEM." }),
    }),
    async submit({ name, filename, content }) {
      const environmentId = environment.id();
      if (props.certificate !== undefined) {
        const { id } = props.certificate;
        const request = { environmentId, id, filename, content };
        const { changed, pipelineNames } = await clients.certificates.updateCertificate(request);
        if (!changed) props.onDone("It is the file that was there: nothing changed");
        else if (pipelineNames.length === 0) props.onDone("The file was saved");
        else props.onDone(`Hosts get the new file now: ${pipelineNames.join(", ")}`);
        return;
      }
      await clients.certificates.createCertificate({
        environmentId,
        name,
        filename: filename || `${name}.pem`,
        type: types.find(({ value }) => value === type())?.type ?? CertificateType.UNSPECIFIED,
        content,
      });
      props.onDone(`The certificate ${name} was added`);
    },
  });
  const takeFile = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    form.set("filename", file.name);
    form.set("content", await file.text());
  };
  return (
    <form class="secret-form" onSubmit={form.onSubmit} novalidate>
      <Show when={deployedNames(props.certificate?.uses ?? [])}>
        {(names) => (
          <p>
            Connected hosts that run <strong>{names()}</strong> get the new file at once.
          </p>
        )}
      </Show>
      <Show when={props.certificate === undefined}>
        <TextField
          label="Name"
          hint="Letters, digits, _, . and -"
          autocomplete="off"
          spellcheck={false}
          value={form.values.name}
          onValue={(name) => form.set("name", name)}
          error={form.error("name")}
        />
        <Select label="Type" value={type()} options={types} onValue={setType} />
      </Show>
      <input
        type="file"
        aria-label="File"
        accept=".pem,.crt,.cer,.key,.ca"
        onChange={(event) => void takeFile(event.currentTarget.files?.[0])}
      />
      <Show when={form.error("filename")}>
        <p role="alert" class="dialog-error">
          The file's name {form.error("filename")}
        </p>
      </Show>
      <TextArea
        label="PEM"
        rows={6}
        autocomplete="off"
        spellcheck={false}
        value={form.values.content}
        onValue={(content) => form.set("content", content)}
        error={form.error("content")}
      />
      <FormError text={form.formError()} />
      <div class="row-buttons">
        <Button onClick={() => props.onCancel()}>Cancel</Button>
        <Button type="submit" variant="primary" loading={form.submitting()}>
          {props.certificate ? "Replace file" : "Add certificate"}
        </Button>
      </div>
    </form>
  );
}
